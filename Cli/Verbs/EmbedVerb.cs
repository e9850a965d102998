using System.CommandLine;
using Recsys.Cli.Terminal;
using Recsys.Embeddings;

namespace Recsys.Cli.Verbs;

internal static class EmbedVerb
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "The dataset folder.", Required = true };
        var target = new Option<string?>("--out")
        {
            Description = "Writes NAME.npy, and NAME.ids.txt where items lack a vector, into this folder.",
        };
        var seed = new Option<long?>("--seed") { Description = "Of the fitted ones (default 17, as rebuild's embeddings.seed)." };
        var encoders = new EncoderOptions();
        var command = new Command(
            "embed",
            "Make a dataset's default embeddings: text, collaborative (training part only), image. They are kept in the cache, for "
            + "rebuild and encode; the dataset is left as it is.") { data, target, seed, DatasetOptions.DropUnknown };
        encoders.AddTo(command);
        command.OnCompute((parsed, cancel) => Task.Run(() =>
        {
            using var dataset = parsed.Open(parsed.GetValue(data)!);
            var options = encoders.Read(parsed);
            using var progress = new ProgressView();
            var embeddings = DefaultEmbeddings.Of(
                dataset, options with { Seed = parsed.GetValue(seed) ?? options.Seed }, progress, cancel);
            if (parsed.GetValue(target) is { } folder)
            {
                foreach (var embedding in embeddings.Where(embedding => embedding.Vectors is not null))
                {
                    dataset.WriteEmbedding(embedding.Vectors!, folder);
                }
            }

            var made = embeddings.Select(EmbeddingSummary.Of).ToList();
            return new VerbResult(
                new { dataset = dataset.Name, embeddings = made },
                output => made.SelectMany(embedding => embedding.Lines(dataset.ItemCount)).ToList().ForEach(output.WriteLine));
        }, cancel));
        return command;
    }
}
