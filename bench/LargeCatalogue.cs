using Recsys.Catalog;
using Recsys.Catalog.Attributes;
using Recsys.Retrieval;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Training;

namespace Recsys.Bench;

/// <summary>
/// Catalogues of any size. Items have random codes, embeddings that follow from them as in a residual quantizer, and shoppers who stay
/// below one first code. A model has every leg in the default's shape, its weights those of one step: answers mean nothing, and cost what
/// those of a long training do.
/// </summary>
internal static class LargeCatalogue
{
    private const int Levels = 3, Codes = 256, History = 20, Visits = 2;

    /// <summary>Random codes; every second item is even.</summary>
    public static ItemTable Table(int items, int seed = 5)
    {
        var random = new Random(seed);
        var seen = new Dictionary<int, ushort>();
        var ids = new SemanticId[items];
        for (int item = 0; item < items; item++)
        {
            var codes = new ushort[Levels];
            int key = 0;
            for (int level = 0; level < Levels; level++)
            {
                codes[level] = (ushort)random.Next(Codes);
                key = (key * Codes) + codes[level];
            }

            ushort collision = seen.GetValueOrDefault(key);
            seen[key] = (ushort)(collision + 1);
            ids[item] = new SemanticId(codes, collision);
        }

        string[] names = [.. Enumerable.Range(0, items).Select(item => $"{item}")];
        var kinds = names.Select((_, item) => (string[])[item % 2 == 0 ? "even" : "odd"]);
        return new ItemTable(
            names, ids, [.. Enumerable.Repeat("", items)], [.. Enumerable.Repeat(Codes, Levels)], new ItemAttributes(["kind"], kinds));
    }

    /// <summary>All legs, after one step each.</summary>
    public static RetrievalModel Model(ItemTable items, int seed)
    {
        var random = new Random(seed);
        int[][] shoppers = [.. Enumerable.Range(0, Visits).SelectMany(_ => Shoppers(items, random))];
        int[] starts = [0, .. shoppers.Select(shopper => shopper.Length)];
        for (int user = 0; user < shoppers.Length; user++)
        {
            starts[user + 1] += starts[user];
        }

        var training = new SequenceSet(
            [.. shoppers.Select((_, user) => $"u{user}")], starts, [.. shoppers.SelectMany(shopper => shopper)]);
        var dense = new DenseOptions { MinSteps = 1, MaxSteps = 1, Epochs = 1, BatchItems = 64 };
        var options = new RetrievalOptions
        {
            Id = dense, Content = dense, Open = false, Weights = RetrievalOptions.LegNames.ToDictionary(leg => leg, _ => 1.0),
            Generative = new GenerativeOptions { MinSteps = 1, MaxSteps = 1, Epochs = 1, BatchItems = 64, Distillation = 0 },
        };
        return RetrievalTrainer.Train(
            new RetrievalTrainingData
            {
                Items = items, Training = training, Features = [Embedding("text", 64), Embedding("collaborative", 32)],
            },
            options, seed);

        EmbeddingMatrix Embedding(string name, int dim)
        {
            float[][] books = [.. Enumerable.Range(0, Levels * Codes).Select(
                at => Enumerable.Range(0, dim).Select(_ => Normal() / (1 << (at / Codes))).ToArray())];
            var data = new float[(long)items.Count * dim];
            for (int item = 0; item < items.Count; item++)
            {
                for (int at = 0; at < dim; at++)
                {
                    float value = 0.1f * Normal();
                    for (int level = 0; level < Levels; level++)
                    {
                        value += books[(level * Codes) + items.SemanticIds[item][level]][at];
                    }

                    data[((long)item * dim) + at] = value;
                }
            }

            return new EmbeddingMatrix(name, dim, data, [.. Enumerable.Repeat(true, items.Count)]);
        }

        float Normal() => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
    }

    /// <summary>Each of items below one first code.</summary>
    public static List<int[]> Histories(ItemTable items, int count, Random random)
    {
        int[][] shoppers = [.. Shoppers(items, random)];
        random.Shuffle(shoppers);
        return [.. shoppers.Take(count)];
    }

    /// <summary>Every item once, in histories of items below one first code.</summary>
    private static IEnumerable<int[]> Shoppers(ItemTable items, Random random) => Enumerable.Range(0, items.Count)
        .GroupBy(item => items.SemanticIds[item][0])
        .SelectMany(below =>
        {
            int[] all = [.. below];
            random.Shuffle(all);
            return all.Chunk(History);
        });
}
