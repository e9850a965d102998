using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Recsys.Catalog.Attributes;
using Recsys.Retrieval.Service;
using Recsys.V1;
using Boost = Recsys.V1.Boost;
using Cap = Recsys.V1.Cap;
using Condition = Recsys.V1.Condition;
using Likeness = Recsys.Catalog.Ports.Likeness;
using NumberRange = Recsys.V1.NumberRange;
using TimeRange = Recsys.V1.TimeRange;

namespace Recsys.Retrieval.Tests.Service;

/// <summary>What requests ask of the items that are answered: lists, conditions, scores, likeness.</summary>
public class RequestedItemsTests
{
    private static readonly ItemTable Table = Fake.Table;

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
        var response = await fake.Service.Recommend(request, Context());
        var query = fake.Query ?? fake.PopularQuery!;
        Assert.Equal([3], query.Exclude);
        Assert.Equal([4, 3], query.Candidates);
        Assert.Equal(history == "nobody" ? ["nobody", "gone", "lost"] : ["gone", "lost"], response.UnknownItemIds);

        await fake.Service.Recommend(new RecommendRequest { History = { history }, Candidates = new ItemSet() }, Context());
        Assert.Empty((history == "item1" ? fake.Query : fake.PopularQuery)!.Candidates!);
        await fake.Service.Recommend(new RecommendRequest { History = { history } }, Context());
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
        await fake.Service.Recommend(request, Context());
        var expected = new ItemFilter(
            new AnyOf("brand", ["Acme", "Apex"]), new NoneOf("brand", ["Zeta"]), new Catalog.Attributes.NumberRange("price", 0, 20),
            new Catalog.Attributes.NumberRange("price", null, null), new Catalog.Attributes.TimeRange("published", from, null));
        Assert.Equal(expected, fake.Query!.Filter);
        await fake.Service.Recommend(new RecommendRequest { History = { "item1" } }, Context());
        Assert.Null(fake.Query!.Filter);
    }

    [Fact]
    public async Task Boosts_and_caps_reach_the_model_and_what_is_out_of_range_is_refused()
    {
        var fake = new Fake();
        var any = new Condition { Attribute = "brand", AnyOf = new Values { Values_ = { "Acme" } } };
        var request = new RecommendRequest
        {
            History = { "item1" }, Boosts = { new Boost { Condition = any, Add = -0.5 } },
            Caps = { new Cap { Attribute = "brand", Most = 2 } },
        };
        await fake.Service.Recommend(request, Context());
        var boost = Assert.Single(fake.Query!.Boosts);
        Assert.Equal((new ItemFilter(new AnyOf("brand", ["Acme"])), -0.5), (new ItemFilter(boost.Condition), boost.Add));
        Assert.Equal([new Catalog.Ports.Cap("brand", 2)], fake.Query.Caps);
        foreach (var wrong in new[]
        {
            new RecommendRequest { Boosts = { new Boost { Condition = any, Add = double.NaN } } },
            new RecommendRequest { Boosts = { new Boost { Condition = any, Add = 1001 } } },
            new RecommendRequest { Boosts = { new Boost { Add = 1 } } },
            new RecommendRequest { Boosts = { Enumerable.Repeat(new Boost { Condition = any }, 17) } },
            new RecommendRequest { Caps = { new Cap { Attribute = "brand" } } }, new RecommendRequest { Caps = { new Cap { Most = 1 } } },
            new RecommendRequest { Caps = { new Cap { Attribute = "colour", Most = 1 } } },
        })
        {
            var error = await Assert.ThrowsAsync<CatalogException>(() => new Fake().Service.Recommend(wrong, Context()));
            Assert.Equal(Fault.InvalidArgument, error.Fault);
        }
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
                { "is NaN", [new Condition { Attribute = "a", Number = new NumberRange { Min = double.NaN } }] },
                { "is NaN", [new Condition { Attribute = "a", Number = new NumberRange { Max = double.NaN } }] },
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
        var error = await Assert.ThrowsAsync<CatalogException>(() => fake.Service.Recommend(request, Context()));
        Assert.Equal((Fault.InvalidArgument, 0), (error.Fault, fake.Acquired));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scored_items_stand_in_the_order_in_which_they_were_asked_for()
    {
        var fake = new Fake();
        var request = new ScoreRequest { History = { "item1", "gone" }, ItemIds = { "item4", "lost", "item3", "item4" }, UserId = "u" };
        var response = await fake.Service.Score(request, Context());
        Assert.Equal([4, 3, 4], fake.Query!.Candidates);
        Assert.Equal((3, "u"), (fake.Query.K, fake.Query.User));
        Assert.Equal([("item4", -2.5), ("item3", -1.5)], response.Items.Select(item => (item.ItemId, item.Score)));
        Assert.Equal(["gone", "lost"], response.UnknownItemIds);
        Assert.Equal(("v7", Fallback.Unspecified, 1), (response.Version, response.Fallback, fake.Released));

        response = await fake.Service.Score(new ScoreRequest { ItemIds = { "item0", "item2" } }, Context());
        Assert.Equal([("item0", -2.0), ("item2", -0.25)], response.Items.Select(item => (item.ItemId, item.Score)));
        Assert.Equal(Fallback.EmptyHistory, response.Fallback);
        response = await fake.Service.Score(new ScoreRequest { History = { "item1" }, ItemIds = { "lost" } }, Context());
        Assert.Empty(response.Items);
        var error = await Assert.ThrowsAsync<CatalogException>(() => fake.Service.Score(
            new ScoreRequest { ItemIds = { Enumerable.Repeat("item1", 1001) } }, Context()));
        Assert.Equal(Fault.InvalidArgument, error.Fault);
    }

    [Theory]
    [InlineData(V1.Likeness.Unspecified, Likeness.Codes)]
    [InlineData(V1.Likeness.Codes, Likeness.Codes)]
    [InlineData(V1.Likeness.Content, Likeness.Content)]
    [InlineData(V1.Likeness.Transitions, Likeness.Transitions)]
    public async Task Similar_items_come_with_what_was_asked_of_them(V1.Likeness by, Likeness expected)
    {
        var fake = new Fake();
        var request = new SimilarRequest
        {
            ItemId = "item2", K = 2, By = by, Exclude = { "item1", "gone" }, Candidates = new ItemSet { ItemIds = { "item0", "item4" } },
            Conditions = { new Condition { Attribute = "a", AnyOf = new Values { Values_ = { "b" } } } },
        };
        var response = await fake.Service.Similar(request, Context());
        Assert.Equal(expected, fake.By);
        Assert.Equal([2], fake.Query!.History);
        Assert.Equal((2, new ItemFilter(new AnyOf("a", ["b"]))), (fake.Query.K, fake.Query.Filter!));
        Assert.Equal([1], fake.Query.Exclude);
        Assert.Equal([0, 4], fake.Query.Candidates);
        Assert.Equal(
            [("item4", 0.75, "Title 4"), ("item0", 0.5, "Title 0")],
            response.Items.Select(item => (item.ItemId, item.Score, item.Title)));
        Assert.Equal(Table.SemanticIds[4].Codes().Select(code => (uint)code), response.Items[0].SemanticId.Codes);
        Assert.Equal(["gone"], response.UnknownItemIds);
    }

    [Theory]
    [InlineData("", 0, 0, Fault.InvalidArgument)]
    [InlineData("item1", 1001, 0, Fault.InvalidArgument)]
    [InlineData("item1", 0, 9, Fault.InvalidArgument)]
    [InlineData("nobody", 0, 0, Fault.NotFound)]
    public async Task Nothing_is_similar_to_what_there_is_not(string item, int k, int by, Fault fault)
    {
        var request = new SimilarRequest { ItemId = item, K = k, By = (V1.Likeness)by };
        var error = await Assert.ThrowsAsync<CatalogException>(() => new Fake().Service.Similar(request, Context()));
        Assert.Equal(fault, error.Fault);
    }

    [Fact]
    public async Task Endless_lists_are_refused_before_a_snapshot_is_taken()
    {
        var ids = Enumerable.Repeat("item1", 10_001);
        foreach (var request in new[]
        {
            new RecommendRequest { Exclude = { ids } }, new RecommendRequest { Candidates = new ItemSet { ItemIds = { ids } } },
            new RecommendRequest { Exclude = { "a\tb" } },
        })
        {
            var fake = new Fake();
            var error = await Assert.ThrowsAsync<CatalogException>(() => fake.Service.Recommend(request, Context()));
            Assert.Equal((Fault.InvalidArgument, 0), (error.Fault, fake.Acquired));
        }
    }

    private static ServerCallContext Context() => new FakeContext();
}
