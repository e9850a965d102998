using Google.Protobuf.WellKnownTypes;
using Recsys.Retrieval.Service;
using Recsys.V1;

namespace Recsys.Retrieval.Tests.Service;

/// <summary>What a request for recommendations may say beside what may be answered.</summary>
public class RecommendCallTests
{
    [Fact]
    public async Task A_history_with_times_is_read_by_them_and_equal_ones_as_they_come()
    {
        var fake = new Fake();
        var request = new RecommendRequest
        {
            History = { "item3", "gone", "item1", "item2", "item0" },
            HistoryTimes = { At(9), At(1), At(5), At(5), At(-2) },
        };
        await fake.Service.Recommend(request, new FakeContext());
        Assert.Equal([0, 1, 2, 3], fake.Query!.History);
    }

    [Fact]
    public async Task Weights_go_with_their_items_and_an_item_of_none_is_seen_and_not_read()
    {
        var fake = new Fake();
        var request = new RecommendRequest
        {
            History = { "item3", "gone", "item1", "item2" }, HistoryTimes = { At(9), At(1), At(5), At(3) },
            HistoryWeights = { 2, 7, 0, 0.5f }, ExcludeSeen = true,
        };
        await fake.Service.Recommend(request, new FakeContext());
        Assert.Equal([2, 3], fake.Query!.History);
        Assert.Equal([0.5, 2], fake.Query!.Weights!);
        Assert.Equal([1], fake.Query!.Exclude);
        Assert.Equal([1], fake.Query!.Unread);
        request.ExcludeSeen = false;
        await fake.Service.Recommend(request, new FakeContext());
        Assert.Empty(fake.Query!.Exclude);
        var nothing = new RecommendRequest { History = { "item3" }, HistoryWeights = { 0 } };
        Assert.Equal(Fallback.EmptyHistory, (await fake.Service.Recommend(nothing, new FakeContext())).Fallback);
    }

    [Fact]
    public async Task What_identifies_a_request_comes_back_and_what_is_drawn_reaches_the_model()
    {
        var fake = new Fake();
        var answer = await fake.Service.Recommend(
            new RecommendRequest { History = { "item1" }, RequestId = "r 1", Sampling = new() { Seed = -7 }, Version = "v7" },
            new FakeContext());
        Assert.Equal(("r 1", "v7", false), (answer.RequestId, answer.Version, answer.Stale));
        Assert.Equal(new Catalog.Ports.Sampling(-7, 1), fake.Query!.Sampling);
        Assert.Empty(answer.NextPageToken); // two answers of ten: there is no more
    }

    [Fact]
    public async Task The_next_page_leaves_out_what_was_shown_and_goes_on_from_there()
    {
        var fake = new Fake();
        var request = new RecommendRequest { History = { "item1" }, K = 2, Exclude = { "item0" }, RequestId = "a" };
        var first = await fake.Service.Recommend(request, new FakeContext());
        request.PageToken = first.NextPageToken;
        request.RequestId = "b";
        var second = await fake.Service.Recommend(request, new FakeContext());
        Assert.Equal([0, 3, 4], fake.Query!.Exclude);
        request.PageToken = second.NextPageToken;
        await fake.Service.Recommend(request, new FakeContext());
        Assert.Equal([0, 3, 4, 3, 4], fake.Query!.Exclude); // the fake's answers are always the same

        request.K = 3;
        await Refused(fake, request, "another request");
        foreach (string token in new[] { "x", "!!!", new string('A', 12), request.PageToken[..^4], new string('a', 8192) })
        {
            request.PageToken = token;
            await Refused(fake, request, "page_token");
        }
    }

    [Fact]
    public async Task A_page_of_another_version_is_refused_with_what_to_do()
    {
        var request = new RecommendRequest { History = { "item1" }, K = 2 };
        request.PageToken = new PageToken("v6", [1]).Text(request);
        var error = await Refused(new Fake(), request, "first page");
        Assert.Equal(Fault.FailedPrecondition, error.Fault);
        error = await Refused(new Fake(), new RecommendRequest { History = { "item1" }, Version = "v8" }, "v7 serves here");
        Assert.Equal(Fault.FailedPrecondition, error.Fault);
    }

    [Fact]
    public async Task Pages_end_where_a_thousand_items_were_shown()
    {
        var request = new RecommendRequest { History = { "item1" }, K = 2 };
        request.PageToken = new PageToken("v7", [.. Enumerable.Range(0, 994)]).Text(request);
        var answer = await new Fake().Service.Recommend(request, new FakeContext());
        Assert.NotEmpty(answer.NextPageToken);
        Assert.InRange(answer.NextPageToken.Length, 1, 4096);
        request.PageToken = "";
        request.PageToken = new PageToken("v7", [.. Enumerable.Range(0, 997)]).Text(request);
        Assert.Empty((await new Fake().Service.Recommend(request, new FakeContext())).NextPageToken);
    }

    [Theory]
    [InlineData("items.item_id,items.score", "version items item_id score")]
    [InlineData("items", "version items item_id semantic_id score title parts probability")]
    [InlineData("items,items.score", "version items item_id semantic_id score title parts probability")]
    [InlineData("unknown_item_ids", "version unknown_item_ids")]
    [InlineData("next_page_token", "version next_page_token")]
    public async Task A_mask_leaves_what_it_names_and_what_always_comes(string paths, string expected)
    {
        var request = new RecommendRequest
        {
            History = { "item1", "gone" }, K = 2, ReadMask = new FieldMask { Paths = { paths.Split(',') } },
        };
        var answer = await new Fake().Service.Recommend(request, new FakeContext());
        var fields = Said(answer).Concat(answer.Items.Take(1).SelectMany(Said));
        Assert.Equal(expected.Split(' ').Order(), fields.Order());
        static IEnumerable<string> Said(Google.Protobuf.IMessage message) => message.Descriptor.Fields.InDeclarationOrder()
            .Where(field => field.IsRepeated ? ((System.Collections.IList)field.Accessor.GetValue(message)).Count > 0
                : field.Accessor.GetValue(message) is not (null or "" or 0 or 0u or 0.0 or false)
                    && field.FieldType != Google.Protobuf.Reflection.FieldType.Enum)
            .Select(field => field.Name);
    }

    public static TheoryData<RecommendRequest, string> Wrong => new()
    {
        { new() { HistoryTimes = { At(1) } }, "1 times and history 0 items" },
        { new() { History = { "item1" }, HistoryWeights = { 1, 2 } }, "2 weights and history 1 items" },
        { new() { History = { "item1" }, HistoryWeights = { -1 } }, "-1 at place 0" },
        { new() { History = { "item1" }, HistoryWeights = { float.NaN } }, "NaN at place 0" },
        { new() { History = { "item1" }, HistoryWeights = { 1001 } }, "1001 at place 0" },
        { new() { RequestId = new string('r', 257) }, "request_id has 257" },
        { new() { Version = new string('v', 257) }, "version has 257" },
        { new() { PageToken = new string('p', 8193) }, "page_token has 8193" },
        { new() { Sampling = new() { Temperature = -1 } }, "temperature is -1" },
        { new() { Sampling = new() { Temperature = double.NaN } }, "temperature is NaN" },
        { new() { Sampling = new() { Temperature = 101 } }, "temperature is 101" },
        { new() { ReadMask = new FieldMask { Paths = { "items.colour" } } }, "'items.colour'; allowed are version, items" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task What_is_out_of_range_is_refused_with_what_is_allowed(RecommendRequest request, string told) =>
        Assert.Equal(Fault.InvalidArgument, (await Refused(new Fake(), request, told)).Fault);

    private static async Task<CatalogException> Refused(Fake fake, RecommendRequest request, string told)
    {
        var error = await Assert.ThrowsAsync<CatalogException>(() => fake.Service.Recommend(request, new FakeContext()));
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
        return error;
    }

    private static Timestamp At(int seconds) => new() { Seconds = seconds };
}
