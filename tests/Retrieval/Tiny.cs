using Recsys.Retrieval.Legs;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Legs.Transitions;
using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Tests;

/// <summary>Small tables and untrained models: large enough for collisions and gaps, small enough to score every item by hand.</summary>
internal static class Tiny
{
    public static readonly GenerativeOptions Options = new()
    {
        History = 4, Dim = 16, Layers = 2, Heads = 2, Dropout = 0.1, BatchItems = 64, MinSteps = 1, BFloat16 = false,
    };

    /// <summary>Random codes; every third item shares the codes of the item before it.</summary>
    public static ItemTable Table(int items, int[] sizes, int seed)
    {
        var random = new Random(seed);
        var ids = new List<SemanticId>();
        var used = new HashSet<SemanticId>();
        var codes = new ushort[sizes.Length];
        for (int item = 0; item < items; item++)
        {
            if (item % 3 != 2)
            {
                codes = [.. sizes.Select(size => (ushort)random.Next(size))];
            }

            var id = new SemanticId(codes);
            while (!used.Add(id))
            {
                id = id.WithCollision((ushort)(id.Collision + 1));
            }

            ids.Add(id);
        }

        return new ItemTable(
            [.. Enumerable.Range(0, items).Select(item => $"item{item}")], ids,
            [.. Enumerable.Range(0, items).Select(item => $"Title {item}")], sizes);
    }

    /// <summary>A decoder with random weights, large enough that its probabilities differ, and what stands beside it.</summary>
    /// <param name="legs">Become the model's.</param>
    /// <param name="sum">Null: all legs alike.</param>
    /// <param name="uniform">Every token of a level is as likely as the next.</param>
    public static RetrievalModel Model(
        ItemTable items, GenerativeOptions options, int seed = 1, IReadOnlyList<ILeg>? legs = null, LegSum? sum = null,
        int[]? interactions = null, bool uniform = false)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        var layout = TokenLayout.For(items);
        var network = GenerativeLeg.Make(layout, options, generator);
        Scatter(network, generator);
        foreach (var (_, head) in network.named_parameters().Where(pair => uniform && pair.name.Contains("head", StringComparison.Ordinal)))
        {
            head.zero_();
        }

        var vectors = options.ReadsVectors ? Vectors(items.Count, options.Dim, generator) : null;
        var config = new GenerativeConfig(
            GenerativeConfig.CurrentFormat, options, [.. items.CodebookSizes], layout.CollisionTokens, items.Count);
        return Model(items, legs ?? [], new GenerativeLeg(config, network, vectors), sum, interactions);
    }

    /// <summary>Legs as one model, of a beam of 8.</summary>
    /// <param name="interactions">[items]; null: one each.</param>
    public static RetrievalModel Model(
        ItemTable items, IReadOnlyList<ILeg> legs, GenerativeLeg? generative = null, LegSum? sum = null, int[]? interactions = null)
    {
        string[] names = [.. legs.Select(leg => leg.Name), .. generative is null ? [] : new[] { GenerativeLeg.LegName }];
        var config = new RetrievalConfig(
            RetrievalConfig.CurrentFormat, names, sum ?? LegSum.Even(names), [.. items.CodebookSizes], items.Count, Beam: 8, Seed: 1,
            BestAt: new Dictionary<string, double>());
        return new RetrievalModel(config, legs, generative, interactions ?? [.. Enumerable.Repeat(1, items.Count)]);
    }

    /// <summary>A leg of random vectors, a new encoder and 4 items of history.</summary>
    /// <param name="scale">Of the vectors; 0: every item has the same score.</param>
    /// <param name="lists">Makes the lists of the vectors; null: there are none.</param>
    public static DenseLeg Dense(
        int items, int seed, string name = DenseLeg.Id, double scale = 1, bool? rankSeen = null, Func<Tensor, VectorLists>? lists = null)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed + 1000);
        var options = new DenseOptions { History = 4, Dim = 16, Layers = 2, Heads = 2, BFloat16 = false, RankSeen = rankSeen };
        var encoder = new SequenceEncoder(options, generator);
        Scatter(encoder, generator);
        var vectors = Vectors(items, options.Dim, generator).mul_(scale);
        vectors.copy_(vectors.to(ScalarType.BFloat16)); // the same with lists and without
        return new DenseLeg(
            new DenseConfig(DenseConfig.CurrentFormat, name, options, items), encoder, vectors, lists: lists?.Invoke(vectors));
    }

    /// <summary>Counts of random sequences.</summary>
    public static TransitionLeg Transitions(int items, int seed) =>
        TransitionLeg.Train(Sequences(items, 200, 8, seed), items, new TransitionOptions { Popularity = 0.1 }, null, default);

    /// <summary>Random walks of 1 to <paramref name="longest"/> items.</summary>
    public static SequenceSet Sequences(int items, int users, int longest, int seed)
    {
        var random = new Random(seed);
        return Sequences([.. Enumerable.Range(0, users).Select(
            _ => Enumerable.Range(0, random.Next(1, longest + 1)).Select(_ => random.Next(items)).ToArray())]);
    }

    public static SequenceSet Sequences(params int[][] sequences)
    {
        var offsets = new int[sequences.Length + 1];
        for (int user = 0; user < sequences.Length; user++)
        {
            offsets[user + 1] = offsets[user] + sequences[user].Length;
        }

        return new SequenceSet([.. sequences.Select((_, user) => $"u{user}")], offsets, [.. sequences.SelectMany(sequence => sequence)]);
    }

    /// <summary>Random features.</summary>
    public static EmbeddingMatrix Features(int items, int dim = 8)
    {
        var random = new Random(5);
        return new EmbeddingMatrix(
            "fused", dim, [.. Enumerable.Range(0, items * dim).Select(_ => (float)random.NextDouble() - 0.5f)],
            [.. Enumerable.Repeat(true, items)]);
    }

    /// <summary>Everything that answers say, to the last bit.</summary>
    public static List<string> Text(IEnumerable<Recommendation> answers) => [.. answers.Select(answer =>
        $"{answer.Item} {answer.Id} {answer.Score:R} {answer.Probability:R} {string.Join(' ', answer.Parts)}")];

    /// <summary>log P of every item after a history, one full forward pass an item, nothing cached and nothing shared.</summary>
    /// <param name="levels">Tokens that count; null: all.</param>
    public static double[] ScoreAll(RetrievalModel model, ItemTable items, IReadOnlyList<int> history, int? levels = null)
    {
        using var _ = no_grad();
        var recent = history.Skip(Math.Max(0, history.Count - model.Generative!.Config.Options.History)).ToArray();
        return [.. Enumerable.Range(0, items.Count).Select(item => Score(model, items, recent, item, levels))];
    }

    /// <param name="temperature">What the logits are divided by.</param>
    public static double Score(
        RetrievalModel model, ItemTable items, int[] history, int item, int? levels = null, double temperature = 1)
    {
        using var scope = NewDisposeScope();
        var hidden = Forward(model, items, [.. history, item]);
        var layout = model.Generative!.Layout;
        var codes = layout.Codes(items);
        double sum = 0;
        for (int level = 0; level < (levels ?? layout.Depth); level++)
        {
            var logP = functional.log_softmax(model.Generative.Network.Logits(hidden[0, history.Length, level], level) / temperature, -1);
            sum += logP[codes[(item * layout.Depth) + level]].item<float>();
        }

        return sum;
    }

    /// <summary>Hidden states of one window of items.</summary>
    /// <returns>[1, slots, depth, dim]</returns>
    public static Tensor Forward(RetrievalModel model, ItemTable items, int[] window, Tensor? vectors = null)
    {
        var (network, layout) = ((DecoderOnly)model.Generative!.Network, model.Generative.Layout);
        var input = new SlotInputs(model, items).Of([-1, .. window[..^1]], vectors);
        var prefixes = tensor(layout.Prefixes(layout.Codes(items), window), [window.Length, layout.Depth - 1]);
        return network.Write(network.Read(input, tensor(new long[] { 0, window.Length }), null), prefixes, null).unsqueeze(0);
    }

    /// <summary>
    /// What the count of live tensors keeps of modules that were made and disposed: TorchSharp 0.107 counts each of their parameters twice
    /// when it is made and once when it goes.
    /// </summary>
    public static long Overcount(Func<IDisposable> make)
    {
        long before = LiveTensors();
        make().Dispose();
        return LiveTensors() - before;
    }

    /// <summary>Live tensors, once those that nobody holds any more are gone.</summary>
    public static long LiveTensors()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return Tensor.TotalCount;
    }

    private static void Scatter(Module module, Generator generator)
    {
        foreach (var parameter in module.parameters().Where(parameter => parameter.dim() > 1))
        {
            parameter.normal_(0, 0.3, generator);
        }
    }

    private static Tensor Vectors(int items, int dim, Generator generator)
    {
        var vectors = zeros(items + 1, dim).normal_(0, 0.5, generator).DetachFromDisposeScope();
        vectors[items].zero_();
        return vectors;
    }
}
