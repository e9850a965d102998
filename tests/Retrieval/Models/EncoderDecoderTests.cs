using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Tests.Models;

public class EncoderDecoderTests
{
    private static readonly GenerativeOptions Options = Tiny.Options with
    {
        Network = GenerativeNetwork.EncoderDecoder, HeadWidth = 12, Hidden = 40, Users = 50, Dropout = 0,
    };

    private static readonly ItemTable Table = Tiny.Table(40, [6, 5, 4], 3);

    private static readonly int[][] Histories = [[3], [1, 2, 3, 4, 5, 6, 7], [9, 9], [30, 17, 5, 29]];

    /// <summary>The oracle is a full pass for each item: nothing cached, nothing shared, no beam.</summary>
    [Fact]
    public void Decoding_gives_every_item_the_probability_of_a_full_pass_and_the_best_first()
    {
        using var model = Model();
        using var recommender = Recommender.Borrowing(model, Table);
        string?[] users = ["anna", null, "bert", "carl"];
        for (int row = 0; row < Histories.Length; row++)
        {
            var query = new RecommendQuery(Histories[row], Table.Count, Table.Count, User: users[row]);
            var found = recommender.Recommend(query, default);
            double[] expected = [.. Enumerable.Range(0, Table.Count).Select(item => Score(model, Histories[row], users[row], item))];
            Assert.Equal(Table.Count, found.Count);
            Assert.All(found, answer => Assert.Equal(expected[answer.Item], answer.Score, 1e-4));
            Assert.Equal(found.Select(answer => answer.Score).OrderDescending(), found.Select(answer => answer.Score));
        }
    }

    [Fact]
    public void One_reading_for_all_items_lets_none_of_them_see_what_comes_later()
    {
        using var _ = no_grad();
        using var model = Model();
        var (network, layout) = ((EncoderDecoder)model.Generative!.Network, model.Generative.Layout);
        Tensor States(params int[] window) => network.ForwardShared(Input(layout, window[..^1]), Prefixes(layout, window[1..]), null);
        using var scope = NewDisposeScope();
        var (all, other) = (States(4, 9, 2, 7), States(4, 9, 2, 30));
        Assert.Equal([3, layout.Depth, Options.Dim], all.shape);
        Assert.True(allclose(all.narrow(0, 0, 2), other.narrow(0, 0, 2), 1e-5, 1e-6));
        Assert.True(allclose(all[2, 0], other[2, 0], 1e-5, 1e-6)); // its own first code is not seen either
        Assert.False(allclose(all[2, 1], other[2, 1], 1e-5, 1e-6));
        Assert.True(allclose(all.narrow(0, 0, 1), States(4, 9), 1e-5, 1e-6));
        Assert.False(allclose(all[1], States(5, 9, 2)[1], 1e-5, 1e-6));
    }

    [Fact]
    public void What_fills_up_changes_no_other_state()
    {
        using var _ = no_grad();
        using var model = Model();
        var (network, layout) = ((EncoderDecoder)model.Generative!.Network, model.Generative.Layout);
        using var scope = NewDisposeScope();
        int[] history = [4, 9, 2];
        var (plain, filled) = (Input(layout, history), Input(layout, history, grain: 64));
        Assert.Equal((13, 64), (plain.Tokens.size(0), filled.Tokens.size(0)));
        Assert.Equal([3, 0], filled.Lengths);
        var alone = network.ForwardShared(plain, Prefixes(layout, [9, 2, 7]), null);
        var among = network.ForwardShared(filled, Prefixes(layout, [9, 2, 7, -1, -1]), null);
        Assert.True(allclose(alone, among.narrow(0, 0, 3), 1e-5, 1e-6));
        alone = network.Forward(plain, Prefixes(layout, [7]), null);
        among = network.Forward(filled, Prefixes(layout, [7, -1, -1, -1]), null);
        Assert.True(allclose(alone, among.narrow(0, 0, 1), 1e-5, 1e-6));
    }

    [Fact]
    public void A_history_is_answered_in_a_batch_as_it_is_alone()
    {
        using var model = Model();
        using var recommender = Recommender.Borrowing(model, Table);
        RecommendQuery[] queries = [.. Histories.Select(history => new RecommendQuery(history, 5, 8))];
        var together = recommender.RecommendBatch(queries, default);
        for (int row = 0; row < queries.Length; row++)
        {
            var alone = recommender.Recommend(queries[row], default);
            Assert.Equal(alone.Select(answer => answer.Item), together[row].Select(answer => answer.Item));
            Assert.All(alone.Zip(together[row]), pair => Assert.Equal(pair.First.Score, pair.Second.Score, 1e-4));
        }
    }

    [Fact]
    public void Users_and_the_order_of_a_history_make_a_difference_and_no_user_is_one_of_his_own()
    {
        using var model = Model();
        string Answer(int[] history, string? user)
        {
            using var recommender = Recommender.Borrowing(model, Table);
            return string.Join('\n', Tiny.Text(recommender.Recommend(new RecommendQuery(history, 10, User: user), default)));
        }

        Assert.Equal(Answer([1, 2], "anna"), Answer([1, 2], "anna"));
        Assert.NotEqual(Answer([1, 2], "anna"), Answer([1, 2], "bert"));
        Assert.NotEqual(Answer([1, 2], "anna"), Answer([1, 2], null));
        Assert.NotEqual(Answer([1, 2], "anna"), Answer([2, 1], "anna"));
        Assert.Equal(Answer([8, 1, 2, 3, 4], null), Answer([9, 1, 2, 3, 4], null)); // four are read
    }

    [Fact]
    public void A_saved_and_loaded_leg_answers_to_the_last_bit_as_before()
    {
        using var folder = new TemporaryFolder();
        using var model = Model();
        model.Save(folder.Path);
        using var loaded = RetrievalModel.Load(folder.Path);
        var query = new RecommendQuery(Histories[1], 20, User: "anna");
        List<string> Answers(RetrievalModel of)
        {
            using var recommender = Recommender.Borrowing(of, Table);
            return Tiny.Text(recommender.Recommend(query, default));
        }

        Assert.Equal(Answers(model), Answers(loaded));
    }

    [Fact]
    public void Shapes_that_only_the_encoder_decoder_has_are_refused_for_the_decoder()
    {
        var options = new RetrievalOptions { Generative = new GenerativeOptions { HeadWidth = 64 } };
        var fault = Assert.Throws<CatalogException>(options.Validate);
        Assert.Contains("retrieval.generative.network", fault.Message, StringComparison.Ordinal);
        new RetrievalOptions
        {
            Generative = new() { Network = GenerativeNetwork.EncoderDecoder, Dim = 128, Heads = 6, HeadWidth = 64, Hidden = 1024 },
        }.Validate();
    }

    private static RetrievalModel Model() => Tiny.Model(Table, Options, 5);

    private static double Score(RetrievalModel model, int[] history, string? user, int item)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (network, layout) = ((EncoderDecoder)model.Generative!.Network, model.Generative.Layout);
        var input = Input(layout, [.. history.TakeLast(Options.History)], user);
        return -TokenLoss.Sum(network, network.Forward(input, Prefixes(layout, [item]), null), layout.Codes(Table), [item]).item<float>();
    }

    private static EncoderInput Input(TokenLayout layout, int[] history, string? user = null, int grain = 1)
    {
        int[] codes = layout.Codes(Table);
        return EncoderInput.Of(
            layout, Options.Users, [user], [new ArraySegment<int>(history)],
            (at, tokens) => codes.AsSpan(at * layout.Depth, layout.Depth).CopyTo(tokens), CPU, grain);
    }

    private static Tensor Prefixes(TokenLayout layout, int[] items) =>
        tensor(layout.Prefixes(layout.Codes(Table), items), [items.Length, layout.Depth - 1]);
}
