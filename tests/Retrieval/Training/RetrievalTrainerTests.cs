using Recsys.Retrieval.Evaluation;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Legs.Transitions;
using Recsys.Retrieval.Models;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests.Training;

public class RetrievalTrainerTests
{
    private static readonly RetrievalOptions None = new() { Transitions = null, Id = null, Content = null, Generative = null, Beam = 10 };

    public static TheoryData<string> Legs => ["codes", "codes and vectors", "encoder and decoder", "id", "all"];

    [Theory]
    [MemberData(nameof(Legs))]
    public void Deterministic_sequences_are_learned_to_full_recall(string legs)
    {
        var options = legs switch
        {
            "codes" => None with { Generative = Walks.Generative with { DenseInputs = false } },
            "encoder and decoder" => None with // in half of the steps one target a window, where the others have nine
            {
                Generative = Walks.Generative with
                {
                    Network = GenerativeNetwork.EncoderDecoder, Epochs = 700, MaxSteps = 700, WholeShare = 0.5,
                },
            },
            "codes and vectors" => None with { Generative = Walks.Generative },
            "id" => None with { Id = Walks.Dense },
            _ => new() { Id = Walks.Dense, Content = Walks.Dense, Generative = Walks.Generative, Beam = 10 },
        };
        var (table, all) = Walks.Make();
        var split = new LeaveOneOut(all);
        var curve = new List<StageProgress>();
        var data = RetrievalTrainingData.From(table, split, legs == "all" ? [Tiny.Features(table.Count)] : []);
        var model = RetrievalTrainer.Train(data, options, 7, new Collect(curve));
        using var recommender = new Recommender(model, table);
        var report = RetrievalEvaluator.Evaluate(recommender, split, new EvaluationOptions { Ks = [1, 5], Batch = 16 });

        Assert.True(report.ItemLevel.NothingRemoved["recall@1"] > 0.95, $"recall@1 {report.ItemLevel.NothingRemoved["recall@1"]}");
        Assert.Equal((0, 0, 0), (report.Invalid, report.Duplicates, report.Short));
        Assert.Equal([.. recommender.LegNames, "sum"], curve.Select(progress => progress.Stage).Distinct());
        foreach (var stage in curve.Where(progress => progress.Metrics is not null).GroupBy(progress => progress.Stage))
        {
            Assert.True(stage.Last().Metrics!["loss"] < stage.First().Metrics!["loss"] / 3, stage.Key);
            Assert.Equal(stage.Last().Total, stage.Last().Done);
        }
    }

    [Fact]
    public void Same_seed_gives_the_same_bytes_and_another_seed_others_in_every_leg_that_is_drawn()
    {
        var (table, all) = Walks.Make();
        var data = RetrievalTrainingData.From(table, new LeaveOneOut(all), [Tiny.Features(table.Count)]);
        var first = Walks.Files(data, Walks.All(5), 3);
        Assert.Equal(first, Walks.Files(data, Walks.All(5), 3));
        var other = Walks.Files(data, Walks.All(5), 4);
        Assert.Equal(first.Keys, other.Keys);
        foreach (string leg in new[] { DenseLeg.Id, DenseLeg.Content, GenerativeLeg.LegName })
        {
            Assert.NotEqual(first[$"{leg}/model.safetensors"], other[$"{leg}/model.safetensors"]);
        }

        Assert.Equal(first["transitions/model.safetensors"], other["transitions/model.safetensors"]);
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(0.5, 1)] // a teacher of one look: validation targets have no say in what it knows
    public void Test_targets_leave_no_trace_and_validation_targets_none_in_a_step(double distillation, int teacherSteps)
    {
        var (table, all) = Walks.Make();
        var whole = Walks.All(5);
        var options = whole with
        {
            Id = whole.Id! with { MaxSteps = teacherSteps }, Generative = whole.Generative! with { Distillation = distillation },
        };
        SequenceSet Altered(params int[] fromEnd)
        {
            var altered = all with { Items = [.. all.Items] };
            foreach (int user in Enumerable.Range(0, all.Count))
            {
                foreach (int back in fromEnd)
                {
                    altered.Items[all.Offsets[user + 1] - back] = ((user * 7) + (4 * back)) % table.Count;
                }
            }

            return altered;
        }

        (Dictionary<string, string> Files, List<string> Losses) Train(SequenceSet sequences)
        {
            var reports = new List<StageProgress>();
            var data = RetrievalTrainingData.From(table, new LeaveOneOut(sequences), [Tiny.Features(table.Count)]);
            var model = RetrievalTrainer.Train(data, options, 3, new Collect(reports));
            return (Walks.Files(model), [.. reports.Where(report => report.Metrics is not null)
                .Select(report => $"{report.Stage} {report.Done} {report.Metrics!["loss"]:R}")]);
        }

        var honest = Train(all);
        Assert.Equal(teacherSteps + 10, honest.Losses.Count);
        Assert.Equal(honest.Files, Train(Altered(1)).Files);
        var unlike = Train(Altered(1, 2)); // chooses other settings, maybe another step; every step is the same
        Assert.Equal(honest.Losses, unlike.Losses);
        Assert.NotEqual(honest.Files["config.json"], unlike.Files["config.json"]);
    }

    [Fact]
    public void Without_validation_targets_legs_are_joined_as_they_are_told_or_all_alike()
    {
        var (table, all) = Walks.Make();
        var data = new RetrievalTrainingData { Items = table, Training = all };
        var options = Walks.All(1) with { Content = null };
        RetrievalChoices Choices(RetrievalTrainingData data, RetrievalOptions options)
        {
            using var model = RetrievalTrainer.Train(data, options, 1);
            return model.Choices;
        }

        var alike = Choices(data, options);
        Assert.Equal([1.0, 1, 1], alike.Sum.Weights.Values);
        Assert.Equal((0.0, 1.0, 1.0), (alike.Sum.Repeat, alike.Sum.Temperature, alike.Sum.Coverage));
        Assert.Equal(TransitionReading.Usual, alike.Transitions);
        var given = Choices(data, options with { Weights = new Dictionary<string, double> { [DenseLeg.Id] = 2 } });
        Assert.Equal([0.0, 2, 0], given.Sum.Weights.Values);
        var sum = new LegSum(alike.Sum.Weights.Keys.Index().ToDictionary(leg => leg.Item, leg => leg.Index / 3.0), -2, 1.5, 0.9);
        var told = Choices(data with { Choices = new(sum, TransitionReading.Usual with { Window = 3, Popularity = 0.1 }) }, options);
        Assert.Same(sum, told.Sum);
        Assert.Equal(TransitionReading.Usual with { Window = 3, Popularity = 0.1 }, told.Transitions);
    }

    [Fact]
    public void The_looks_report_what_the_best_weights_reach_on_validation_targets()
    {
        var (table, all) = Walks.Make();
        var split = new LeaveOneOut(all with { Items = [.. all.Items.Select((item, at) => at % 20 == 8 ? all.Items[at - 3] : item)] });
        var reports = new List<StageProgress>();
        var data = RetrievalTrainingData.From(table, split, []);
        using var model = RetrievalTrainer.Train(data, Walks.All(1), 1, new Collect(reports));
        double Reported(string leg, string metric) => reports.Last(report => report.Stage == leg).Metrics![metric];
        int[] users = split.EvaluatedUsers;
        int repeats = 0;
        double ndcg = users.Average(user =>
        {
            int[] history = split.ValidationHistory(user).ToArray();
            int target = split.ValidationTarget(user);
            repeats += history.Contains(target) ? 1 : 0;
            using var scores = model.Legs[1].Scores([history]);
            float[] values = scores.data<float>().ToArray();
            int[] ranking = [.. Enumerable.Range(0, table.Count).Where(item => history.Contains(target) || !history.Contains(item))
                .OrderByDescending(item => values[item]).ThenBy(item => item)];
            return RankingMetrics.Ndcg(Array.IndexOf(ranking, target), 10);
        });

        // Of a new model every item, and every code, is as likely as any other.
        Assert.Equal(Math.Log(30), Reported(DenseLeg.Id, "loss"), 0.1);
        Assert.Equal(Math.Log(5 * 5 * 64), Reported(GenerativeLeg.LegName, "loss"), 0.1);
        Assert.InRange(repeats, 10, 50);
        Assert.Equal(ndcg, Reported(DenseLeg.Id, "validation_ndcg@10"), 1e-6);
        double logP = users.Average(
            user => Tiny.ScoreAll(model, table, split.ValidationHistory(user).ToArray())[split.ValidationTarget(user)]);
        Assert.Equal(logP, Reported(GenerativeLeg.LegName, "validation_log_p"), 1e-4);
    }

    [Fact]
    public void A_network_that_has_grown_too_sure_of_itself_is_judged_at_the_temperature_that_suits_it()
    {
        var (table, all) = Walks.Make();
        // Every fourth user's validation target is not where the walk leads.
        var split = new LeaveOneOut(all with { Items = [.. all.Items.Select((item, at) => at % 40 == 8 ? (item + 11) % 30 : item)] });
        var reports = new List<StageProgress>();
        var data = RetrievalTrainingData.From(table, split, []);
        var options = Walks.Decoding with { Generative = Walks.Generative with { MaxSteps = 120 } };
        using var model = RetrievalTrainer.Train(data, options, 1, new Collect(reports));
        double LogP(double temperature) => split.EvaluatedUsers.Average(user =>
        {
            int[] history = [.. split.ValidationHistory(user).ToArray().TakeLast(Walks.Generative.History)];
            return Tiny.Score(model, table, history, split.ValidationTarget(user), temperature: temperature);
        });
        double best = TokenTraining.Temperatures.Max(LogP);
        Assert.Equal(best, reports.Max(report => report.Metrics?.GetValueOrDefault("validation_log_p", double.MinValue))!.Value, 1e-4);
        Assert.True(best > LogP(1) + 0.2, $"{best}, {LogP(1)} at temperature 1");
    }

    [Fact]
    public void Popular_items_are_those_of_the_training_part_and_come_with_the_saved_model()
    {
        // Interactions of item 0: 3, 1: 2, 2: 2, 3: 1; the held-out ones of a user (the last two) are all of item 4.
        var all = new SequenceSet(["a", "b"], [0, 6, 12], [0, 1, 2, 0, 4, 4, 2, 0, 1, 3, 4, 4]);
        var table = Tiny.Table(6, [4, 4], 1);
        using var folder = new TemporaryFolder();
        var data = RetrievalTrainingData.From(table, new LeaveOneOut(all), []);
        var options = Walks.Decoding with { Generative = Walks.Generative with { MaxSteps = 1 } };
        using (var model = RetrievalTrainer.Train(data, options, 1))
        {
            model.Save(folder.Path);
        }

        using var recommender = new Recommender(RetrievalModel.Load(folder.Path), table);
        var popular = recommender.Popular(new RecommendQuery([], 10));
        Assert.Equal([0, 1, 2, 3, 4, 5], popular.Select(answer => answer.Item));
        double[] shares = [3 / 8d, 2 / 8d, 2 / 8d, 1 / 8d, 0, 0];
        Assert.Equal(shares.Select(share => Math.Log(share)), popular.Select(answer => answer.Score));
        Assert.All(popular.Zip(shares), pair => Assert.Equal(pair.Second, pair.First.Probability, 1e-12));
        Assert.All(popular, answer => Assert.Equal(table.SemanticIds[answer.Item], answer.Id));
        Assert.All(popular, answer => Assert.Empty(answer.Parts));
        Assert.Equal(Tiny.Text(popular.Take(2)), Tiny.Text(recommender.Popular(new RecommendQuery([], 2))));
        using var grown = (Recommender)recommender.WithItems(table.Append([new AppendedItem("new", new SemanticId([0, 0], 40), "")]));
        var query = new RecommendQuery([], 3) { Exclude = [1], Candidates = [6, 4, 1, 3, 2] };
        Assert.Equal([2, 3, 4], grown.Popular(query).Select(answer => answer.Item));
        Assert.Equal([2, 3, 4, 6], grown.Popular(query with { K = 9 }).Select(answer => answer.Item));
        Assert.Throws<CatalogException>(() => recommender.Popular(new RecommendQuery([], 0)));
        Assert.Throws<CatalogException>(() => recommender.Popular(query));
    }

    [Fact]
    public void Histories_longer_than_any_training_window_are_read_as_far_as_one_was_taught()
    {
        var (table, all) = Walks.Make();
        var shortSequences = new SequenceSet(["a", "b"], [0, 3, 7], all.Items[..7]);
        using var model = RetrievalTrainer.Train(
            new RetrievalTrainingData { Items = table, Training = shortSequences },
            Walks.All(1) with { Transitions = null }, 1);
        Assert.Equal(3, model.Generative!.Config.Options.History);
        Assert.Equal(3, Assert.IsType<DenseLeg>(Assert.Single(model.Legs)).Config.Options.History);
        using var recommender = new Recommender(model, table);
        var recent = recommender.Recommend(new RecommendQuery([7, 8, 9], 30), default);
        Assert.Equal(Tiny.Text(recent), Tiny.Text(recommender.Recommend(new RecommendQuery([1, 2, 3, 4, 5, 6, 7, 8, 9], 30), default)));
    }

    [Theory]
    [InlineData("id")]
    [InlineData("generative")]
    public void Cancelled_training_stops_and_leaves_no_tensor_behind(string leg)
    {
        var (table, all) = Walks.Make();
        var data = RetrievalTrainingData.From(table, new LeaveOneOut(all), []) with { ValidationTargets = null };
        using var cancel = new CancellationTokenSource();
        using var generator = new Generator(1);
        long overcount = leg == "id"
            ? Tiny.Overcount(() => new SequenceEncoder(Walks.Dense, generator))
            : Tiny.Overcount(() => new DecoderOnly(TokenLayout.For(table), Walks.Generative, generator));
        overcount += Tiny.Overcount(() => new ItemVectors(table.Count, Walks.Dense.Dim, null, learns: true, deviation: 0.1, generator));
        var options = leg == "id" ? None with { Id = Walks.Dense } : Walks.Decoding;
        var stop = new Stop(cancel, leg, 20);
        long before = Tiny.LiveTensors();
        Assert.Throws<OperationCanceledException>(() => RetrievalTrainer.Train(data, options, 1, stop, cancel: cancel.Token));
        // TorchSharp counts the gradient that does not come to the sum behind a stack's last block, once a step, and never takes it off
        // again.
        int stacks = leg == "id" ? 1 : 2;
        Assert.Equal(before + overcount + (stacks * stop.Steps), Tiny.LiveTensors());
    }

    [Fact]
    public void Options_out_of_range_are_named_all_at_once()
    {
        var options = new RetrievalOptions
        {
            Transitions = new TransitionOptions { Recency = 0 },
            Id = new DenseOptions { Patience = 0, History = 10 },
            Content = new DenseOptions { BatchItems = 1 },
            Generative = new GenerativeOptions { Dim = 30, Heads = 4, Dropout = 1, Distillation = 2 },
            Weights = new Dictionary<string, double> { ["beam"] = 1, [DenseLeg.Id] = -1 },
            Beam = 0,
        };
        string message = Assert.Throws<CatalogException>(options.Validate).Message;
        string[] faults =
        [
            "retrieval.transitions.recency is 0", "retrieval.id.patience is 0", "retrieval.content.batch_items is 1",
            "retrieval.generative.dim is 30", "retrieval.generative.dropout is 1", "retrieval.weights is beam",
            "retrieval.weights.id is -1", "retrieval.beam is 0", "retrieval.generative.distillation is 2",
            "retrieval.id.history is 10, allowed is generative.history (20) and more",
        ];
        Assert.All(faults, fault => Assert.Contains(fault, message, StringComparison.Ordinal));
        Assert.Contains("retrieval is without a leg", Assert.Throws<CatalogException>(None.Validate).Message, StringComparison.Ordinal);
        var silent = new RetrievalOptions { Weights = new Dictionary<string, double> { [DenseLeg.Id] = 0 } };
        Assert.Contains("weights is 0 for all", Assert.Throws<CatalogException>(silent.Validate).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_that_does_not_fit_its_table_is_refused()
    {
        var (table, all) = Walks.Make();
        var data = RetrievalTrainingData.From(table, new LeaveOneOut(all), []);
        Assert.Throws<CatalogException>(() => RetrievalTrainer.Train(data with { Features = [Tiny.Features(3)] }, Walks.Decoding, 1));
        Assert.Throws<CatalogException>(() => RetrievalTrainer.Train(data, None with { Content = Walks.Dense }, 1)); // and no features
        var unknown = data with { Training = new SequenceSet(["a"], [0, 2], [1, 99]) };
        Assert.Throws<CatalogException>(() => RetrievalTrainer.Train(unknown, Walks.Decoding, 1));
        var alone = data with { Training = new SequenceSet(["a"], [0, 1], [1]), ValidationTargets = null };
        Assert.Throws<CatalogException>(() => RetrievalTrainer.Train(alone, Walks.Decoding, 1));
    }
}
