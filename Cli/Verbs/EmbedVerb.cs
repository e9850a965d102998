using System.CommandLine;
using Recsys.Cli.Terminal;
using Recsys.Embeddings;

namespace Recsys.Cli.Verbs;

internal static class EmbedVerb
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "The dataset folder.", Required = true };
        var seed = new Option<long>("--seed") { DefaultValueFactory = _ => 17 };
        var command = new Command(
            "embed", "Make default embeddings for a dataset: text, collaborative (training part only), image.") { data, seed, DatasetOptions.DropUnknown };
        command.OnCompute((parsed, cancel) => Task.Run(() =>
        {
            using var dataset = parsed.Open(parsed.GetValue(data)!);
            using (var progress = new ProgressView())
            {
                DefaultEmbeddings.Write(dataset, new DefaultEmbeddingOptions { Seed = parsed.GetValue(seed) }, progress, cancel);
            }

            var made = dataset.EmbeddingNames.Select(dataset.ReadEmbedding)
                .Select(
                    embedding => new { name = embedding.Name, dim = embedding.Dim, items = embedding.Present.Count(present => present) })
                .ToList();
            return new VerbResult(
                new { dataset = dataset.Name, embeddings = made },
                output =>
                    made.ForEach(
                        embedding =>
                            output.WriteLine(
                                $"{embedding.name,-16} {embedding.items} of {dataset.ItemCount} items, {embedding.dim} dimensions")));
        }, cancel));
        return command;
    }
}
