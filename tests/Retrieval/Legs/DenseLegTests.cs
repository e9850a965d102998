using System.Text.Json;
using Recsys.Retrieval.Evaluation;
using Recsys.Retrieval.Legs;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Tests.Training;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests.Legs;

public class DenseLegTests
{
    private static readonly int[][] Histories = [[3], [1, 2, 3, 4, 5, 6, 7], [9, 9], [2, 40, 8], [30, 17, 5, 29]]; // 40: appended later

    [Fact]
    public void A_history_has_the_scores_in_a_batch_that_it_has_alone()
    {
        using var leg = Tiny.Dense(40, 3);
        using var together = leg.Scores(Histories);
        for (int row = 0; row < Histories.Length; row++)
        {
            using var alone = leg.Scores([Histories[row]]);
            Assert.Equal([1, 40], alone.shape);
            Assert.All(
                alone.data<float>().ToArray().Zip(together[row].data<float>().ToArray()),
                pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        }
    }

    [Fact]
    public void Scores_are_log_probabilities_over_the_items()
    {
        using var leg = Tiny.Dense(40, 3);
        using var scores = leg.Scores(Histories);
        using var sums = scores.exp().sum(dim: 1);
        Assert.All(sums.data<float>().ToArray(), sum => Assert.Equal(1, sum, 1e-5));
        Assert.True(scores.max().item<float>() - scores.min().item<float>() > 1);
    }

    [Fact]
    public void The_most_recent_items_alone_are_read_and_in_their_order()
    {
        using var leg = Tiny.Dense(40, 3);
        using var scores = leg.Scores([[1, 2, 3, 4], [9, 8, 1, 2, 3, 4], [2, 1, 3, 4], [40, 3, 4], [39, 3, 4], [41, 3, 4]]);
        float[] Row(int row) => scores[row].data<float>().ToArray();
        Assert.Equal(0, Distance(0, 1), 1e-5);
        Assert.True(Distance(0, 2) > 0.01);
        Assert.Equal(0, Distance(3, 5), 1e-5); // items without a vector are alike
        Assert.True(Distance(3, 4) > 0.01);

        double Distance(int a, int b) => Row(a).Zip(Row(b)).Max(pair => Math.Abs(pair.First - pair.Second));
    }

    [Fact]
    public void A_saved_and_loaded_leg_has_the_same_scores_to_the_last_bit()
    {
        using var folder = new TemporaryFolder();
        using var leg = Tiny.Dense(40, 3, DenseLeg.Content);
        leg.Save(folder.Path);
        using var loaded = DenseLeg.Load(folder.Path);
        using var before = leg.Scores(Histories);
        using var after = loaded.Scores(Histories);
        Assert.Equal(before.data<float>().ToArray(), after.data<float>().ToArray());
        Assert.Equal(JsonSerializer.Serialize(leg.Config, Json.Files), JsonSerializer.Serialize(loaded.Config, Json.Files));
    }

    [Fact]
    public void A_leg_reads_the_features_that_it_weighs_and_no_other()
    {
        var weights = new Dictionary<string, double>();
        float[] ScoresOf(string leg, float collaborative, float text)
        {
            float[] Of(float scale) => [.. Enumerable.Range(0, 60).Select(at => scale * MathF.Sin(at * scale))];
            EmbeddingMatrix Part(string name, float scale) => new(name, 2, Of(scale), [.. Enumerable.Repeat(true, 30)]);
            var dense = Walks.Dense with { MaxSteps = 3, MinSteps = 3, Features = weights };
            var data = new RetrievalTrainingData
            {
                Items = Tiny.Table(30, [5, 5], 1), Training = Tiny.Sequences(30, 200, 6, seed: 4), // no item is cold
                Features = [Part("collaborative", collaborative), Part("text", text)],
            };
            using var model = RetrievalTrainer.Train(
                data, Walks.Decoding with { Generative = null, Id = dense, Content = dense }, 1);
            using var scores = model.Legs.Single(one => one.Name == leg).Scores(Histories);
            return scores.data<float>().ToArray();
        }

        float[] id = ScoresOf(DenseLeg.Id, 1, 1), content = ScoresOf(DenseLeg.Content, 1, 1);
        Assert.Equal(id, ScoresOf(DenseLeg.Id, 1, 3)); // not the frozen text
        Assert.NotEqual(id, ScoresOf(DenseLeg.Id, 3, 1));
        Assert.Equal(content, ScoresOf(DenseLeg.Content, 3, 1)); // not how items are used
        Assert.NotEqual(content, ScoresOf(DenseLeg.Content, 1, 3));
        weights["text"] = 1;
        Assert.NotEqual(id, ScoresOf(DenseLeg.Id, 1, 1));
    }

    /// <summary>Six kinds of ten items, whose features are like each other; nobody leaves a kind, and of each kind one item is in no
    /// history.</summary>
    [Fact]
    public void The_content_leg_ranks_an_item_that_training_never_saw_among_its_kind()
    {
        const int Kinds = 6, OfKind = 10, Items = Kinds * OfKind;
        var random = new Random(8);
        int[][] walks = [.. Enumerable.Range(0, 120).Select(user => Enumerable.Range(0, 8)
            .Select(_ => (user % Kinds * OfKind) + 1 + random.Next(OfKind - 1)).ToArray())];
        float[] centres = [.. Enumerable.Range(0, Kinds * 16).Select(_ => (float)(random.NextDouble() - 0.5))];
        var features = new EmbeddingMatrix(
            "fused", 16,
            [
                .. Enumerable.Range(0, Items * 16)
                    .Select(at => centres[(at / 16 / OfKind * 16) + (at % 16)] + ((float)random.NextDouble() * 0.2f)),
            ],
            [.. Enumerable.Repeat(true, Items)]);
        var options = Walks.Decoding with
        {
            Generative = null, Id = Walks.Dense with { MaxSteps = 60 }, Content = Walks.Dense with { MaxSteps = 60 },
        };
        var data = new RetrievalTrainingData
        {
            Items = Tiny.Table(Items, [8, 8, 8], 1), Training = Tiny.Sequences(walks), Features = [features],
        };
        using var knowing = RetrievalTrainer.Train(data, options, 1);
        using var learned = RetrievalTrainer.Train(data with { Features = [] }, options, 1);
        double Place(ILeg leg) => Enumerable.Range(0, Kinds).Average(kind =>
        {
            int unseen = kind * OfKind;
            int[] history = [unseen + 3, unseen + 7, unseen + 2];
            using var scores = leg.Scores([history]);
            return FullRanking.Rank(scores.data<float>().ToArray(), unseen, history).Plain;
        });

        Assert.Equal([DenseLeg.Id, DenseLeg.Content], knowing.Legs.Select(leg => leg.Name));
        Assert.Equal([DenseLeg.Id], learned.Legs.Select(leg => leg.Name));
        double content = Place(knowing.Legs[1]), id = Place(learned.Legs[0]);
        Assert.True(content < OfKind, $"place {content} of {Items}; at random it would be {(Items - 1) / 2.0}");
        Assert.True(id > OfKind, $"place {id}: learned vectors alone cannot know it");
    }
}
