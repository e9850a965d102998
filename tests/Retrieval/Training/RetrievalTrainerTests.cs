using Recsys.Retrieval.Evaluation;
using Recsys.Retrieval.Models;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests.Training;

public class RetrievalTrainerTests
{
    private static readonly RetrievalOptions Options = new()
    {
        History = 6, Dim = 32, Layers = 1, Heads = 2, Dropout = 0, DenseDropout = 0,
        BatchTokens = 1024, MinSteps = 1, MaxSteps = 400, Epochs = 400,
        LearningRate = 5e-3, WeightDecay = 0.01, Beam = 10, BFloat16 = false,
    };

    /// <summary>Users walk a ring of items in steps of one or of two: the last two items tell which.</summary>
    private static (ItemTable Items, SequenceSet All) Walks(int items = 30, int users = 60)
    {
        var table = Tiny.Table(items, [5, 5], 1);
        var (offsets, walk) = (new int[users + 1], new List<int>());
        for (int user = 0; user < users; user++)
        {
            walk.AddRange(Enumerable.Range(0, 10).Select(i => (user + (i * (1 + (user / items)))) % items));
            offsets[user + 1] = walk.Count;
        }

        return (table, new SequenceSet([.. Enumerable.Range(0, users).Select(user => $"u{user}")], offsets, [.. walk]));
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(true, 0.5)]
    public void Deterministic_sequences_are_learned_to_full_recall(bool denseInputs, double denseLoss)
    {
        var (table, all) = Walks();
        var split = new LeaveOneOut(all);
        var data = RetrievalTrainingData.From(table, split, null);
        var curve = new List<StageProgress>();
        var model = RetrievalTrainer.Train(data, Options with { DenseInputs = denseInputs, DenseLoss = denseLoss }, 7, new Collect(curve));
        using var recommender = new Recommender(model, table);
        var report = RetrievalEvaluator.Evaluate(recommender, split, new EvaluationOptions { Ks = [1, 5], Batch = 16 });

        Assert.True(report.ItemLevel.NothingRemoved["recall@1"] > 0.95, $"recall@1 {report.ItemLevel.NothingRemoved["recall@1"]}");
        Assert.Equal((0, 0, 0), (report.Invalid, report.Duplicates, report.Short));
        Assert.True(curve[^1].Metrics!["loss"] < curve[0].Metrics!["loss"] / 3);
        Assert.Equal(("retrieval", curve[^1].Total), (curve[^1].Stage, curve[^1].Done));
    }

    [Fact]
    public void Same_seed_gives_the_same_weights_and_another_seed_others()
    {
        var (table, all) = Walks();
        var data = RetrievalTrainingData.From(table, new LeaveOneOut(all), Features(table.Count));
        var options = Options with { MaxSteps = 5, Dropout = 0.2, DenseDropout = 0.1, DenseLoss = 0.5, Ema = 0.9 };
        var first = SavedBytes(data, options, 3);
        Assert.Equal(first, SavedBytes(data, options, 3));
        Assert.NotEqual(first, SavedBytes(data, options, 4));
    }

    [Fact]
    public void Held_out_targets_leave_no_trace_in_the_weights()
    {
        var (table, all) = Walks();
        var altered = all with { Items = [.. all.Items] };
        for (int user = 0; user < all.Count; user++)
        {
            altered.Items[all.Offsets[user + 1] - 1] = (user * 7) % table.Count;
            altered.Items[all.Offsets[user + 1] - 2] = (user * 11) % table.Count;
        }

        var options = Options with { MaxSteps = 5, DenseLoss = 0.5, Alpha = 0.5 };
        var honest = SavedBytes(RetrievalTrainingData.From(table, new LeaveOneOut(all), null), options, 3);
        Assert.Equal(honest, SavedBytes(RetrievalTrainingData.From(table, new LeaveOneOut(altered), null), options, 3));
    }

    [Fact]
    public void Saved_and_loaded_model_gives_the_same_answers()
    {
        var (table, all) = Walks();
        var data = RetrievalTrainingData.From(table, new LeaveOneOut(all), Features(table.Count));
        var folder = Directory.CreateTempSubdirectory().FullName;
        using var recommender = new Recommender(RetrievalTrainer.Train(data, Options with { MaxSteps = 10, DenseLoss = 0.3 }, 1), table);
        var before = recommender.Recommend(new RecommendQuery([3, 4, 5], 20), default);
        using (var model = RetrievalTrainer.Train(data, Options with { MaxSteps = 10, DenseLoss = 0.3 }, 1))
        {
            model.Save(folder);
        }

        using var loaded = new Recommender(RetrievalModel.Load(folder), table);
        Assert.Equal(before, loaded.Recommend(new RecommendQuery([3, 4, 5], 20), default));
        Directory.Delete(folder, true);
    }

    [Theory]
    [InlineData("config.json", "{}")]
    [InlineData("config.json", "not json")]
    [InlineData("model.safetensors", "short")]
    [InlineData("model.safetensors", null)]
    public void Damaged_files_are_named_as_data_loss(string file, string? content)
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        using (var model = Tiny.Model(Tiny.Table(20, [4, 4], 1), Tiny.Options))
        {
            model.Save(folder);
        }

        File.Delete(Path.Combine(folder, file));
        if (content is not null)
        {
            File.WriteAllText(Path.Combine(folder, file), content);
        }

        var error = Assert.Throws<CatalogException>(() => RetrievalModel.Load(folder));
        Assert.Equal(Fault.DataLoss, error.Fault);
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
        Directory.Delete(folder, true);
    }

    [Fact]
    public void A_dense_head_without_its_vectors_is_data_loss()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        using (var model = Tiny.Model(Tiny.Table(20, [4, 4], 1), Tiny.Options with { DenseLoss = 1, Alpha = 0.5 }))
        {
            new RetrievalModel(model.Config, model.Network, null, ([], [0])).Save(folder);
        }

        var error = Assert.Throws<CatalogException>(() => RetrievalModel.Load(folder));
        Assert.Equal(Fault.DataLoss, error.Fault);
        Assert.Contains("'item_vectors' is missing", error.Message, StringComparison.Ordinal);
        Directory.Delete(folder, true);
    }

    [Fact]
    public void Popular_items_are_those_of_the_training_part_and_come_with_the_saved_model()
    {
        // Interactions of item 0: 3, 1: 2, 2: 2, 3: 1; the held-out ones of a user (the last two) are all of item 4.
        var all = new SequenceSet(["a", "b"], [0, 6, 12], [0, 1, 2, 0, 4, 4, 2, 0, 1, 3, 4, 4]);
        var table = Tiny.Table(6, [4, 4], 1);
        var folder = Directory.CreateTempSubdirectory().FullName;
        var data = RetrievalTrainingData.From(table, new LeaveOneOut(all), null);
        using (var model = RetrievalTrainer.Train(data, Options with { MaxSteps = 1 }, 1))
        {
            model.Save(folder);
        }

        using var recommender = new Recommender(RetrievalModel.Load(folder), table);
        var popular = recommender.Popular(10);
        Assert.Equal([0, 1, 2, 3], popular.Select(answer => answer.Item));
        Assert.Equal([Math.Log(3 / 8d), Math.Log(2 / 8d), Math.Log(2 / 8d), Math.Log(1 / 8d)], popular.Select(answer => answer.Score));
        Assert.All(popular, answer => Assert.Equal(table.SemanticIds[answer.Item], answer.Id));
        Assert.Equal(popular.Take(2), recommender.Popular(2));
        Assert.Throws<CatalogException>(() => recommender.Popular(0));
        Directory.Delete(folder, true);
    }

    [Fact]
    public void Histories_longer_than_any_training_window_are_read_as_far_as_one_was_taught()
    {
        var (table, all) = Walks();
        var shortSequences = new SequenceSet(["a", "b"], [0, 3, 7], all.Items[..7]);
        using var model = RetrievalTrainer.Train(
            new RetrievalTrainingData { Items = table, Training = shortSequences }, Options with { MaxSteps = 1 }, 1);
        Assert.Equal(3, model.Config.Options.History);
        using var recommender = new Recommender(model, table);
        var recent = recommender.Recommend(new RecommendQuery([7, 8, 9], 30), default);
        Assert.Equal(recent, recommender.Recommend(new RecommendQuery([1, 2, 3, 4, 5, 6, 7, 8, 9], 30), default));
    }

    [Fact]
    public void Cancelled_training_stops_and_leaves_no_tensor_behind()
    {
        var (table, all) = Walks();
        var data = RetrievalTrainingData.From(table, new LeaveOneOut(all), null);
        using var cancel = new CancellationTokenSource();
        using var generator = new Generator(1);
        long overcount = Tiny.Overcount(() => new DecoderOnly(TokenLayout.For(table), Options, generator))
            + Tiny.Overcount(() => new ItemVectors(table.Count, Options.Dim, null, generator));
        var stop = new Stop(cancel);
        long before = Tiny.LiveTensors();
        Assert.Throws<OperationCanceledException>(() => RetrievalTrainer.Train(data, Options, 1, stop, cancel: cancel.Token));
        // TorchSharp counts the gradient that does not come to the last block's sum, once a step, and never takes it off again.
        Assert.Equal(before + overcount + stop.Steps, Tiny.LiveTensors());
    }

    [Fact]
    public void Options_out_of_range_are_named_all_at_once()
    {
        var error = Assert.Throws<CatalogException>(
            () => new RetrievalOptions { Dim = 30, Heads = 4, Dropout = 1, Beam = 0, Alpha = 0 }.Validate());
        Assert.All(
            new[] { "retrieval.dim is 30", "retrieval.dropout is 1", "retrieval.beam is 0", "retrieval.alpha is 0" },
            fault => Assert.Contains(fault, error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Data_that_does_not_fit_its_table_is_refused()
    {
        var (table, all) = Walks();
        var data = RetrievalTrainingData.From(table, new LeaveOneOut(all), null);
        Assert.Throws<CatalogException>(() => RetrievalTrainer.Train(data with { Features = Features(3) }, Options, 1));
        var unknown = data with { Training = new SequenceSet(["a"], [0, 2], [1, 99]) };
        Assert.Throws<CatalogException>(() => RetrievalTrainer.Train(unknown, Options, 1));
        var alone = data with { Training = new SequenceSet(["a"], [0, 1], [1]), ValidationTargets = null };
        Assert.Throws<CatalogException>(() => RetrievalTrainer.Train(alone, Options, 1));
    }

    private static EmbeddingMatrix Features(int items)
    {
        var random = new Random(5);
        return new EmbeddingMatrix(
            "fused", 8, [.. Enumerable.Range(0, items * 8).Select(_ => (float)random.NextDouble())], [.. Enumerable.Repeat(true, items)]);
    }

    private static byte[] SavedBytes(RetrievalTrainingData data, RetrievalOptions options, long seed)
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        using (var model = RetrievalTrainer.Train(data, options, seed))
        {
            model.Save(folder);
        }

        var bytes = File.ReadAllBytes(Path.Combine(folder, "model.safetensors"));
        Directory.Delete(folder, true);
        return bytes;
    }

    private sealed class Collect(List<StageProgress> into) : IProgress<StageProgress>
    {
        public void Report(StageProgress value) => into.Add(value);
    }

    private sealed class Stop(CancellationTokenSource source) : IProgress<StageProgress>
    {
        public long Steps { get; private set; }

        public void Report(StageProgress value)
        {
            Steps = value.Done;
            source.Cancel();
        }
    }
}
