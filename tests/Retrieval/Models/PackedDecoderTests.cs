using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Tests.Models;

/// <summary>The decoder packed for answering beside its operators.</summary>
public class PackedDecoderTests
{
    public static TheoryData<bool, int, int, int, int> Shapes => new()
    {
        { true, 16, 2, 2, 2 }, { false, 16, 2, 1, 3 }, { true, 36, 3, 3, 1 }, { false, 64, 4, 2, 2 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_prefix_has_the_log_probabilities_that_the_operators_give_it(bool dense, int dim, int heads, int layers, int depth)
    {
        var options = Tiny.Options with
        {
            DenseInputs = dense, Dim = dim, Heads = heads, Layers = layers, DepthLayers = depth, History = 6,
        };
        var table = Tiny.Table(60, [6, 5, 40], 3);
        using var model = Tiny.Model(table, options, 3);
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        int[][] histories = [[3, 17, 3, 40, 8, 25, 1], [], [59], [7, 8, 9]];
        using var packed = model.Generative!.Read(histories, new string?[4], table);
        using var tensors = Tensors(model, table, histories, options.History);
        var (random, first) = (new Random(4), 0);
        var rows = new List<int> { 0, 1, 2, 3 }; // [states]
        var levels = new List<int> { 0, 0, 0, 0 };
        foreach (int level in (int[])[1, 2, 3, 1, 2, 3]) // again from the histories on, and then from both ways
        {
            Compare();
            first = rows.Count;

            // Some states are continued more than once, others not at all; rows have different numbers of them.
            int[] parents = [.. Enumerable.Range(0, rows.Count).Where(state => levels[state] == level - 1).OrderBy(state => rows[state])
                .SelectMany(state => Enumerable.Repeat(state, 1 + random.Next(3)))];
            int[] tokens = [.. parents.Select(_ => random.Next(5))];
            packed.Extend(parents, tokens);
            tensors.Extend(parents, tokens);
            rows.AddRange(parents.Select(parent => rows[parent]));
            levels.AddRange(parents.Select(_ => level));
        }

        Compare();

        void Compare()
        {
            Assert.Equal((rows.Count, rows.Count, tensors.Tokens, 4), (packed.Count, tensors.Count, packed.Tokens, packed.Rows));
            for (int state = first; state < rows.Count; state++)
            {
                var (expected, found) = (tensors.LogProbabilities(state).ToArray(), packed.LogProbabilities(state).ToArray());
                Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
                Assert.Equal(1, found.Sum(of => Math.Exp(of)), 1e-5);
            }
        }
    }

    [Fact]
    public void What_a_history_gets_depends_by_no_bit_on_those_beside_it()
    {
        var table = Tiny.Table(60, [6, 5, 4], 5);
        using var model = Tiny.Model(table, Tiny.Options with { Dim = 128, Heads = 4 }, 5);
        int[][] histories = [.. Enumerable.Range(0, 77).Select(row => Enumerable.Range(row % 5, 1 + (row % 3)).ToArray())];
        float[][] Ask(int[] rows)
        {
            using var scope = NewDisposeScope();
            using var states = model.Generative!.Read([.. rows.Select(row => histories[row])], new string?[rows.Length], table);
            int[] each = [.. Enumerable.Range(0, rows.Length)];
            states.Extend(each, [.. rows.Select(row => row % 6)]);
            return [.. each.Select(state => states.LogProbabilities(rows.Length + state).ToArray())];
        }

        var together = Ask([.. Enumerable.Range(0, histories.Length)]);
        foreach (int row in (int[])[0, 1, 13, 76])
        {
            Assert.Equal(Ask([row])[0], together[row]);
        }
    }

    private static TensorStates Tensors(RetrievalModel model, ItemTable table, int[][] histories, int longest)
    {
        var network = (DecoderOnly)model.Generative!.Network;
        var hidden = histories.Select(history =>
        {
            int[] previous = [-1, .. history.TakeLast(longest)];
            return network.Read(new SlotInputs(model, table).Of(previous), tensor(new long[] { 0, previous.Length }), null)[^1];
        });
        var (state, cache) = network.Begin(stack([.. hidden]));
        return new TensorStates(network, state, cache, (int)state.size(0));
    }
}
