using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Recsys.Catalog.Attributes;
using Recsys.Retrieval.Service;
using Recsys.V1;
using Condition = Recsys.V1.Condition;
using NumberRange = Recsys.V1.NumberRange;
using TimeRange = Recsys.V1.TimeRange;

namespace Recsys.Retrieval.Tests.Service;

public class RetrievalServiceTests
{
    private static readonly ItemTable Table = Tiny.Table(5, [4, 4], 1);

    [Fact]
    public async Task Answer_names_its_version_and_carries_ids_scores_and_titles()
    {
        var fake = new Fake();
        var response = await new RetrievalService(fake).Recommend(
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
        await new RetrievalService(fake).Recommend(new RecommendRequest { History = { "item1" } }, Context());
        Assert.Equal((10, 0), (fake.Query!.K, fake.Query.Beam));
    }

    [Fact]
    public async Task Unknown_items_are_passed_over_and_named_once_and_the_lease_is_given_back()
    {
        var fake = new Fake();
        var response = await new RetrievalService(fake).Recommend(
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
        var response = await new RetrievalService(fake).Recommend(
            new RecommendRequest { History = { history }, K = 1, ExcludeSeen = true }, Context());
        Assert.Null(fake.Query);
        Assert.Equal(reason, response.Fallback);
        Assert.Equal(history, response.UnknownItemIds);
        var item = Assert.Single(response.Items);
        Assert.Equal(("item2", -0.25, 0.75), (item.ItemId, item.Score, item.Probability));
        Assert.Empty(item.Parts);
    }

    [Theory]
    [InlineData("item1")]
    [InlineData("nobody")]
    public async Task What_is_left_out_and_the_candidates_reach_model_and_fallback_alike(string history)
    {
        var fake = new Fake();
        var request = new RecommendRequest
        {
            History = { history }, Exclude = { "item3", "gone" },
            Candidates = new ItemSet { ItemIds = { "item4", "item3", "gone", "lost" } },
        };
        var response = await new RetrievalService(fake).Recommend(request, Context());
        var query = fake.Query ?? fake.PopularQuery!;
        Assert.Equal([3], query.Exclude);
        Assert.Equal([4, 3], query.Candidates);
        Assert.Equal(history == "nobody" ? ["nobody", "gone", "lost"] : ["gone", "lost"], response.UnknownItemIds);

        await new RetrievalService(fake).Recommend(new RecommendRequest { History = { history }, Candidates = new ItemSet() }, Context());
        Assert.Empty((history == "item1" ? fake.Query : fake.PopularQuery)!.Candidates!);
        await new RetrievalService(fake).Recommend(new RecommendRequest { History = { history } }, Context());
        Assert.Null((history == "item1" ? fake.Query : fake.PopularQuery)!.Candidates);
    }

    [Fact]
    public async Task Conditions_reach_the_model_as_the_filter_that_they_say()
    {
        var fake = new Fake();
        var from = new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
        var request = new RecommendRequest
        {
            History = { "item1" },
            Conditions =
            {
                new Condition { Attribute = "brand", AnyOf = new Values { Values_ = { "Acme", "Apex" } } },
                new Condition { Attribute = "brand", NoneOf = new Values { Values_ = { "Zeta" } } },
                new Condition { Attribute = "price", Number = new NumberRange { Min = 0, Max = 20 } },
                new Condition { Attribute = "price", Number = new NumberRange() },
                new Condition { Attribute = "published", Time = new TimeRange { From = Timestamp.FromDateTimeOffset(from) } },
            },
        };
        await new RetrievalService(fake).Recommend(request, Context());
        var expected = new ItemFilter(
            new AnyOf("brand", ["Acme", "Apex"]), new NoneOf("brand", ["Zeta"]), new Catalog.Attributes.NumberRange("price", 0, 20),
            new Catalog.Attributes.NumberRange("price", null, null), new Catalog.Attributes.TimeRange("published", from, null));
        Assert.Equal(expected, fake.Query!.Filter);
        await new RetrievalService(fake).Recommend(new RecommendRequest { History = { "item1" } }, Context());
        Assert.Null(fake.Query!.Filter);
    }

    public static TheoryData<string, Condition[]> BadConditions
    {
        get
        {
            Condition Any(params IEnumerable<string> values) => new() { Attribute = "a", AnyOf = new Values { Values_ = { values } } };
            return new()
            {
                { "33 conditions", [.. Enumerable.Repeat(Any("x"), 33)] },
                { "1001 values", [Any(Enumerable.Repeat("x", 501)), Any(Enumerable.Repeat("x", 500))] },
                { "'a' has no test", [new Condition { Attribute = "a" }] },
                { "attribute has 0 characters", [new Condition { AnyOf = new Values() }] },
                { "1025 characters ('xxx", [Any(new string('x', 1025))] },
                {
                    "years 1 to 9999",
                    [new Condition { Attribute = "a", Time = new() { Until = new Timestamp { Seconds = long.MaxValue } } }]
                },
            };
        }
    }

    [Theory]
    [MemberData(nameof(BadConditions))]
    public async Task Conditions_that_say_nothing_are_refused_before_a_snapshot_is_taken(string message, Condition[] conditions)
    {
        var fake = new Fake();
        var request = new RecommendRequest { Conditions = { conditions } };
        var error = await Assert.ThrowsAsync<CatalogException>(() => new RetrievalService(fake).Recommend(request, Context()));
        Assert.Equal((Fault.InvalidArgument, 0), (error.Fault, fake.Acquired));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Endless_lists_are_refused_before_a_snapshot_is_taken()
    {
        var ids = Enumerable.Repeat("item1", RetrievalService.MaxListed + 1);
        foreach (var request in new[]
        {
            new RecommendRequest { Exclude = { ids } }, new RecommendRequest { Candidates = new ItemSet { ItemIds = { ids } } },
            new RecommendRequest { Exclude = { "a\tb" } },
        })
        {
            var fake = new Fake();
            var error = await Assert.ThrowsAsync<CatalogException>(() => new RetrievalService(fake).Recommend(request, Context()));
            Assert.Equal((Fault.InvalidArgument, 0), (error.Fault, fake.Acquired));
        }
    }

    [Fact]
    public async Task A_score_comes_with_the_parts_that_it_is_made_of_and_a_probability()
    {
        var response = await new RetrievalService(new Fake()).Recommend(new RecommendRequest { History = { "item1" } }, Context());
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
            () => new RetrievalService(fake).Recommend(new RecommendRequest { History = { history } }, Context()));
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
        var error = await Assert.ThrowsAsync<CatalogException>(() => new RetrievalService(fake).Recommend(request, Context()));
        Assert.Equal(Fault.InvalidArgument, error.Fault);
        Assert.Equal(0, fake.Acquired);
    }

    [Fact]
    public async Task Version_without_a_model_is_a_failed_precondition()
    {
        var error = await Assert.ThrowsAsync<CatalogException>(
            () => new RetrievalService(new Fake { Empty = true }).Recommend(new RecommendRequest { History = { "item1" } }, Context()));
        Assert.Equal(Fault.FailedPrecondition, error.Fault);
    }

    private static ServerCallContext Context() => new FakeContext();

    private sealed class Fake : ISnapshots, ISnapshot, IRecommender
    {
        public int Acquired { get; private set; }

        public int Released { get; private set; }

        public bool Empty { get; init; }

        public RecommendQuery? Query { get; private set; }

        public RecommendQuery? PopularQuery { get; private set; }

        public string Version => "v7";

        public ItemTable Items => Table;

        public SnapshotLease Acquire()
        {
            Acquired++;
            return new SnapshotLease(this, () => Released++);
        }

        public T? Find<T>()
            where T : class => Empty ? null : this as T;

        public IReadOnlyList<Recommendation> Popular(RecommendQuery query)
        {
            PopularQuery = query;
            Recommendation[] all = [new(2, Table.SemanticIds[2], -0.25, 0.75, []), new(0, Table.SemanticIds[0], -2, 0.1, [])];
            return [.. all.Take(query.K)];
        }

        public IReadOnlyList<Recommendation> Recommend(RecommendQuery query, CancellationToken cancel)
        {
            Query = query;
            return
            [
                new(3, Table.SemanticIds[3], -1.5, 0.5, [new("id", 0.75, -1), new("generative", 0.25, -3)]),
                new(4, Table.SemanticIds[4], -2.5, 0.125, [new("generative", 1, -2.5)]),
            ];
        }
    }

    private sealed class FakeContext : ServerCallContext
    {
        protected override string MethodCore => "/recsys.v1.Retrieval/Recommend";

        protected override string HostCore => "localhost";

        protected override string PeerCore => "ipv4:127.0.0.1:1";

        protected override DateTime DeadlineCore => DateTime.MaxValue;

        protected override Metadata RequestHeadersCore => [];

        protected override CancellationToken CancellationTokenCore => CancellationToken.None;

        protected override Metadata ResponseTrailersCore => [];

        protected override Status StatusCore { get; set; }

        protected override WriteOptions? WriteOptionsCore { get; set; }

        protected override AuthContext AuthContextCore => new(null, []);

        protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
            throw new InvalidOperationException("not used");

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
    }
}
