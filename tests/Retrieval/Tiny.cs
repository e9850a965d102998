using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Tests;

/// <summary>Small tables and untrained models: large enough for collisions and gaps, small enough to score every item by hand.</summary>
internal static class Tiny
{
    public static readonly RetrievalOptions Options = new()
    {
        History = 4, Dim = 16, Layers = 2, Heads = 2, Dropout = 0.1, Beam = 8, BatchTokens = 256, MinSteps = 1, BFloat16 = false,
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

    /// <summary>A model with random weights, large enough that its probabilities differ.</summary>
    public static RetrievalModel Model(ItemTable items, RetrievalOptions options, int seed = 1, int? trainedItems = null)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        var layout = TokenLayout.For(items);
        var network = new DecoderOnly(layout, options, generator);
        foreach (var parameter in network.parameters().Where(parameter => parameter.dim() > 1))
        {
            parameter.normal_(0, 0.3, generator);
        }

        int trained = trainedItems ?? items.Count;
        Tensor? vectors = null;
        if (options.DenseInputs || options.DenseLoss > 0)
        {
            vectors = zeros(trained + 1, options.Dim).normal_(0, 0.5, generator).DetachFromDisposeScope();
            vectors[trained].zero_();
        }

        var config = new RetrievalConfig(
            RetrievalConfig.CurrentFormat, options, [.. items.CodebookSizes], layout.CollisionTokens, trained, options.Alpha ?? 1, seed);
        return new RetrievalModel(config, network, vectors, ([], [0]));
    }

    /// <summary>log P of every item after a history, one full forward pass an item, nothing cached and nothing shared.</summary>
    public static double[] ScoreAll(RetrievalModel model, ItemTable items, IReadOnlyList<int> history)
    {
        using var _ = no_grad();
        var recent = history.Skip(Math.Max(0, history.Count - model.Config.Options.History)).ToArray();
        return [.. Enumerable.Range(0, items.Count).Select(item => Score(model, items, recent, item))];
    }

    public static double Score(RetrievalModel model, ItemTable items, int[] history, int item)
    {
        using var scope = NewDisposeScope();
        var hidden = Forward(model, items, [.. history, item]);
        var codes = model.Layout.Codes(items);
        double sum = 0;
        for (int level = 0; level < model.Layout.Depth; level++)
        {
            var logP = model.Network.LogProbabilities(hidden[0, history.Length, level], level);
            sum += logP[codes[(item * model.Layout.Depth) + level]].item<float>();
        }

        return sum;
    }

    /// <summary>Hidden states of one window of items.</summary>
    /// <returns>[1, slots, depth, dim]</returns>
    public static Tensor Forward(RetrievalModel model, ItemTable items, int[] window, Tensor? vectors = null)
    {
        vectors ??= model.Vectors;
        int slots = window.Length, depth = model.Layout.Depth;
        var previous = window[..^1].Prepend(-1).ToArray();
        int none = model.Config.TrainedItems;
        var dense = vectors is null || !model.Config.Options.DenseInputs ? null
            : vectors.index_select(0, tensor(previous.Select(item => item < 0 || item >= none ? none : (long)item).ToArray())).unsqueeze(0);
        var input = new SlotInput(
            tensor(model.Layout.Tokens(model.Layout.Codes(items), window, previous), [1, slots, depth]),
            arange(slots, ScalarType.Int64).unsqueeze(0), dense);
        return model.Network.Forward(input, tensor(new long[] { 0, slots * depth }), null).unsqueeze(0);
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
}
