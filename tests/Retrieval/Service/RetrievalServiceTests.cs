using Grpc.Core;
using Recsys.Retrieval.Service;
using Recsys.V1;

namespace Recsys.Retrieval.Tests.Service;

public class RetrievalServiceTests
{
    private static readonly ItemTable Table = Fake.Table;

    [Fact]
    public async Task Answer_names_its_version_and_carries_ids_scores_and_titles()
    {
        var fake = new Fake();
        var response = await fake.Service.Recommend(
            new RecommendRequest { History = { "item1", "item2" }, K = 2, Beam = 7, ExcludeSeen = true }, Context());

        Assert.Equal("v7", response.Version);
        Assert.Equal([1, 2], fake.Query!.History);
        Assert.Equal((2, 7, true), (fake.Query.K, fake.Query.Beam, fake.Query.ExcludeSeen));
        Assert.Equal(["item3", "item4"], response.Items.Select(item => item.ItemId));
        Assert.Equal(["Title 3", "Title 4"], response.Items.Select(item => item.Title));
        Assert.Equal([-1.5, -2.5], response.Items.Select(item => item.Score));
        Assert.Equal(Table.SemanticIds[4].Codes().Select(code => (uint)code), response.Items[1].SemanticId.Codes);
        Assert.Equal(Table.SemanticIds[4].Collision, response.Items[1].SemanticId.Collision);
        Assert.Equal((1, 1), (fake.Acquired, fake.Released));
    }

    [Fact]
    public async Task A_k_of_zero_means_ten()
    {
        var fake = new Fake();
        await fake.Service.Recommend(new RecommendRequest { History = { "item1" } }, Context());
        Assert.Equal((10, 0), (fake.Query!.K, fake.Query.Beam));
    }

    [Fact]
    public async Task Unknown_items_are_passed_over_and_named_once_and_the_lease_is_given_back()
    {
        var fake = new Fake();
        var response = await fake.Service.Recommend(
            new RecommendRequest { History = { "gone", "item1", "nobody", "gone", "item2" } }, Context());
        Assert.Equal([1, 2], fake.Query!.History);
        Assert.Equal(["gone", "nobody"], response.UnknownItemIds);
        Assert.Equal(Fallback.Unspecified, response.Fallback);
        Assert.Equal((1, 1), (fake.Acquired, fake.Released));
    }

    [Theory]
    [InlineData(Fallback.EmptyHistory)]
    [InlineData(Fallback.UnknownHistory, "gone", "nobody")]
    public async Task Without_a_known_item_the_answer_is_the_popular_ones_and_says_so(Fallback reason, params string[] history)
    {
        var fake = new Fake();
        var response = await fake.Service.Recommend(
            new RecommendRequest { History = { history }, K = 1, ExcludeSeen = true }, Context());
        Assert.Null(fake.Query);
        Assert.Equal(reason, response.Fallback);
        Assert.Equal(history, response.UnknownItemIds);
        var item = Assert.Single(response.Items);
        Assert.Equal(("item2", -0.25, 0.75), (item.ItemId, item.Score, item.Probability));
        Assert.Empty(item.Parts);
    }

    [Fact]
    public async Task A_score_comes_with_the_parts_that_it_is_made_of_and_a_probability()
    {
        var response = await new Fake().Service.Recommend(new RecommendRequest { History = { "item1" } }, Context());
        Assert.Equal(
            [("id", 0.75, -1.0), ("generative", 0.25, -3.0)], response.Items[0].Parts.Select(part => (part.Leg, part.Weight, part.Value)));
        Assert.Equal([("generative", 1, -2.5)], response.Items[1].Parts.Select(part => (part.Leg, part.Weight, part.Value)));
        Assert.Equal([0.5, 0.125], response.Items.Select(item => item.Probability));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\tb")]
    [InlineData("a\nb")]
    public Task Ids_that_no_catalogue_has_are_refused_before_a_snapshot_is_taken(string id) => RefusedAsync(id, id);

    [Fact]
    public Task An_endless_id_is_refused_with_its_first_characters() =>
        RefusedAsync($"'{new string('x', 60)}…' has 1025 characters; allowed are 1 to 1024", new string('x', 1025));

    [Fact]
    public Task An_endless_history_is_refused() => RefusedAsync("10001 items", [.. Enumerable.Repeat("item1", 10_001)]);

    private static async Task RefusedAsync(string message, params string[] history)
    {
        var fake = new Fake();
        var error = await Assert.ThrowsAsync<CatalogException>(
            () => fake.Service.Recommend(new RecommendRequest { History = { history } }, Context()));
        Assert.Equal(Fault.InvalidArgument, error.Fault);
        Assert.Contains(message.Replace('\t', ' ').Replace('\n', ' '), error.Message, StringComparison.Ordinal);
        Assert.Equal(0, fake.Acquired);
    }

    [Theory]
    [InlineData(0, -1, 0)]
    [InlineData(1, -1, 0)]
    [InlineData(1, 1001, 0)]
    [InlineData(1, 1_000_000, 0)]
    [InlineData(1, 10, 9)]
    [InlineData(1, 0, 9)]
    [InlineData(1, 10, -1)]
    [InlineData(1, 10, 1001)]
    public async Task Values_out_of_range_are_refused_before_a_snapshot_is_taken(int history, int k, int beam)
    {
        var fake = new Fake();
        var request = new RecommendRequest { K = k, Beam = beam };
        request.History.AddRange(Enumerable.Repeat("item1", history));
        var error = await Assert.ThrowsAsync<CatalogException>(() => fake.Service.Recommend(request, Context()));
        Assert.Equal(Fault.InvalidArgument, error.Fault);
        Assert.Equal(0, fake.Acquired);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("v6", true)]
    [InlineData("v7", true)]
    [InlineData("v8", false)]
    public async Task A_version_before_the_one_that_a_caller_has_seen_does_not_answer(string wanted, bool answers)
    {
        var fake = new Fake();
        var call = fake.Service.Recommend;
        var request = new RecommendRequest { History = { "item1" }, MinVersion = wanted };
        if (answers)
        {
            Assert.Equal("v7", (await call(request, Context())).Version);
            return;
        }

        var error = await Assert.ThrowsAsync<CatalogException>(() => call(request, Context()));
        Assert.Equal((Fault.Unavailable, 1), (error.Fault, fake.Released));
    }

    [Fact]
    public async Task Version_without_a_model_is_a_failed_precondition()
    {
        var error = await Assert.ThrowsAsync<CatalogException>(
            () => new Fake { Empty = true }.Service.Recommend(new RecommendRequest { History = { "item1" } }, Context()));
        Assert.Equal(Fault.FailedPrecondition, error.Fault);
    }

    private static ServerCallContext Context() => new FakeContext();
}
