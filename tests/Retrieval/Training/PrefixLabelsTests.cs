using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests.Training;

public class PrefixLabelsTests
{
    private const int Items = 40;

    private static readonly int[] Cold = [7, 8, 31];

    private readonly ItemTable _table = Tiny.Table(Items, [5, 4], 1);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_token_has_the_share_that_the_items_below_it_have_in_the_answer_of_the_teacher(bool ranksSeen)
    {
        using var scope = NewDisposeScope();
        using var teacher = Tiny.Dense(Items, 3, rankSeen: ranksSeen);
        var data = Data();
        var layout = TokenLayout.For(_table);
        var codes = layout.Codes(_table);
        int[] cold = [.. Enumerable.Range(0, Items).Except(data.Training.Items)];
        var (batch, slots) = Batch(data);
        var labels = new PrefixLabels(teacher, data, layout).Of(batch, slots);

        Assert.Superset(Cold.ToHashSet(), cold.ToHashSet());
        Assert.Equal(layout.Sizes.Select(size => new long[] { slots.Length, size }), labels.Select(of => of.shape));
        Assert.Contains(slots, slot => Window(batch, slot).Contains(batch.Items[slot])); // a target that is in its own history too
        for (int row = 0; row < slots.Length; row++)
        {
            int target = batch.Items[slots[row]];
            int[] history = Window(batch, slots[row]);
            using var scores = teacher.Scores([history]);
            double[] p = [.. scores.data<float>().ToArray().Select((score, item) =>
                cold.Contains(item) || (!ranksSeen && history.Contains(item) && item != target) ? 0 : Math.Exp(score))];
            for (int depth = 0; depth < layout.Depth; depth++)
            {
                int[] Tokens(int item) => codes[(item * layout.Depth)..((item + 1) * layout.Depth)];
                int[] behind = [.. Enumerable.Range(0, Items)
                    .Where(item => Tokens(item).Take(depth).SequenceEqual(Tokens(target).Take(depth)))];
                float[] label = labels[depth][row].data<float>().ToArray();
                double all = behind.Sum(item => p[item]);
                Assert.All(label.Index(), of => Assert.Equal(
                    behind.Where(item => Tokens(item)[depth] == of.Index).Sum(item => p[item]) / all, of.Item, 1e-5));
            }
        }
    }

    [Fact]
    public void Where_the_teacher_expects_nothing_behind_a_prefix_the_target_has_it_all()
    {
        using var scope = NewDisposeScope();
        using var teacher = Tiny.Dense(Items, 3, scale: 1e4, rankSeen: true); // all on one item
        var data = Data();
        var layout = TokenLayout.For(_table);
        var (batch, slots) = Batch(data);
        var labels = new PrefixLabels(teacher, data, layout).Of(batch, slots);
        Assert.All(labels, of => Assert.True(allclose(of.sum(1), ones(slots.Length), 1e-5)));
        var codes = layout.Codes(_table);
        float[] last = [.. slots.Select((slot, row) =>
            labels[^1][row, codes[(batch.Items[slot] * layout.Depth) + layout.Depth - 1]].item<float>())];
        Assert.Contains(1, last);
    }

    [Fact]
    public void What_is_distilled_comes_nearer_to_the_teacher_than_what_is_not()
    {
        var (items, all) = Walks.Make();
        var split = new LeaveOneOut(all);
        var data = RetrievalTrainingData.From(items, split, []);
        double Away(double distillation)
        {
            var options = Walks.Decoding with
            {
                // A teacher of a few steps, which does not know the way yet: what is learned from it is not what the walks teach.
                Id = Walks.Dense with { MaxSteps = 10 },
                Generative = Walks.Generative with { MaxSteps = 300, Distillation = distillation },
            };
            using var model = RetrievalTrainer.Train(data, options, 3);
            using var scope = NewDisposeScope();
            int[][] histories = [.. split.EvaluatedUsers.Take(6).Select(user => data.Training[user][..4].ToArray())];
            var teacher = model.Legs.Single().Scores(histories);
            return histories.Index().Average(history =>
            {
                double[] student = Tiny.ScoreAll(model, items, history.Item, levels: 1);
                double[] p = [.. teacher[history.Index].data<float>().ToArray().Select(
                    (score, item) => history.Item.Contains(item) ? 0 : Math.Exp(score))];
                return Enumerable.Range(0, items.Count).GroupBy(item => items.SemanticIds[item][0]).Sum(code =>
                {
                    double share = code.Sum(item => p[item]) / p.Sum();
                    return share == 0 ? 0 : share * (Math.Log(share) - student[code.First()]);
                });
            });
        }

        var (none, half, whole) = (Away(0), Away(0.5), Away(1));
        Assert.True(whole < half && half < none, $"{none} {half} {whole} nats from the teacher");
        Assert.True(whole < none / 100, $"{none} {half} {whole} nats from the teacher");
    }

    /// <summary>Windows of which some hold their target twice, and items that none of them holds.</summary>
    private RetrievalTrainingData Data()
    {
        var all = Tiny.Sequences(Items, 60, 5, 4);
        return new() { Items = _table, Training = all with { Items = [.. all.Items.Select(item => Cold.Contains(item) ? 0 : item)] } };
    }

    private static (PackedBatch Batch, int[] Slots) Batch(RetrievalTrainingData data)
    {
        var windows = TrainingWindows.OfEpoch(data.Training, 5, new Random(1));
        var batch = PackedBatch.Pack(data.Training, windows, 100).First();
        return (batch, [.. Enumerable.Range(0, 100).Where(slot => batch.Previous[slot] >= 0)]);
    }

    /// <summary>What comes before a slot.</summary>
    private static int[] Window(PackedBatch batch, int slot) =>
        batch.Items[batch.Starts.Last(start => start <= slot)..slot];
}
