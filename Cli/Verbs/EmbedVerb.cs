using System.CommandLine;
using Recsys.Cli.Terminal;
using Recsys.Embeddings;

namespace Recsys.Cli.Verbs;

/// <summary>A dataset's default embeddings, ahead of the rebuild that would make them.</summary>
internal static class EmbedVerb
{
    private static readonly Option<string?> Out = VerbOption.Of<string?>(
        "--out", "Writes NAME.npy, and NAME.ids.txt where items lack a vector, into this folder.");
    private static readonly Option<long?> Seed =
        VerbOption.Of<long?>("--seed", "Of the fitted ones (default 17, as rebuild's embeddings.seed).");

    public static Command Create()
    {
        var command = new Command(
            "embed",
            "Make a dataset's default embeddings: text, collaborative (training part only), image. They are kept in the cache, for "
            + "rebuild and encode; the dataset is left as it is.") { FolderOptions.Data, Out, Seed, DatasetOptions.DropUnknown };
        command.AddEncoders();
        command.OnCompute((parsed, cancel) => Task.Run(() => Run(parsed, cancel), cancel));
        return command;
    }

    private static VerbResult Run(ParseResult parsed, CancellationToken cancel)
    {
        using var dataset = parsed.Open(parsed.GetValue(FolderOptions.Data)!);
        var options = parsed.Encoders();
        using var progress = new ProgressView();
        var embeddings = DefaultEmbeddings.Of(
            dataset, options with { Seed = parsed.GetValue(Seed) ?? options.Seed }, progress, cancel);
        if (parsed.GetValue(Out) is { } folder)
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
    }
}
