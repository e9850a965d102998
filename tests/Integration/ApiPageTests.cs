using System.Globalization;
using Grpc.Core;
using Recsys.V1;

namespace Recsys.Integration.Tests;

/// <summary>docs/api.md: what it says of limits is what the server does.</summary>
[Collection(WorldCollection.Name)]
public sealed class ApiPageTests(World world)
{
    private static readonly string[] Page = File.ReadAllLines(Path.Combine(RepositoryRoot.Path, "docs", "api.md"));

    /// <summary>Calls with so much of a field, everything else in order.</summary>
    private Dictionary<string, Func<int, Task>> Calls
    {
        get
        {
            var retrieval = new V1.Retrieval.RetrievalClient(world.Channel);
            var quantizer = new V1.Quantizer.QuantizerClient(world.Channel);
            var items = new Items.ItemsClient(world.Channel);
            string known = world.ItemIds[0];
            IEnumerable<string> Known(int count) => Enumerable.Repeat(known, count);
            Condition Any(int values) =>
                new() { Attribute = "category", AnyOf = new() { Values_ = { Enumerable.Repeat("x", values) } } };
            IEnumerable<ItemEmbedding> Vectors(int count) => Enumerable.Range(0, count)
                .Select(_ => new ItemEmbedding { ItemId = known, Embeddings = { ["text"] = BadInputTests.Unit(384) } });
            async Task Recommend(RecommendRequest request) => await retrieval.RecommendAsync(request);
            async Task Upsert(IEnumerable<ItemUpsert> upserts) => await items.UpsertAsync(new() { Items = { upserts } });
            async Task Record(IEnumerable<Event> events) =>
                await new Events.EventsClient(world.Channel).RecordAsync(new() { Events = { events } });
            async Task Draw(GenerateRequest request)
            {
                using var stop = new CancellationTokenSource();
                using var call = new Creative.CreativeClient(world.Channel).Generate(request, cancellationToken: stop.Token);
                await call.ResponseStream.MoveNext(default); // the first word: it draws, or refuses to
                await stop.CancelAsync();
            }

            return new()
            {
                ["`Recommend.history`"] = n => Recommend(new() { History = { Known(n) } }),
                ["`Recommend.k`"] = n => Recommend(new() { K = n }),
                ["`Recommend.beam`"] = n => Recommend(new() { History = { known }, Beam = n }),
                ["`Recommend.user_id`"] = n => Recommend(new() { UserId = new string('u', n) }),
                ["`Recommend.min_version`"] = n => Recommend(new() { MinVersion = new string('a', n) }),
                ["`Recommend.version`"] = n => Recommend(new() { Version = n <= 256 ? world.Version : new string('v', n) }),
                ["`Recommend.request_id`"] = n => Recommend(new() { RequestId = new string('r', n) }),
                ["`Recommend.sampling.temperature`"] = n => Recommend(new() { Sampling = new() { Temperature = n } }),
                ["`RecommendBatch.request_id`"] = BatchAsync,
                ["`Recommend.exclude`"] = n => Recommend(new() { History = { known }, Exclude = { Known(n) } }),
                ["`Recommend.candidates`"] = n => Recommend(new() { History = { known }, Candidates = new() { ItemIds = { Known(n) } } }),
                ["`Recommend.conditions`"] = n => Recommend(new() { Conditions = { Enumerable.Repeat(Any(1), n) } }),
                ["`Condition.values`"] = n => Recommend(new() { Conditions = { Any(n - 1), Any(1) } }),
                ["`Recommend.boosts`"] = n => Recommend(new() { Boosts = { Enumerable.Repeat(new Boost { Condition = Any(1) }, n) } }),
                ["`Boost.add`"] = n => Recommend(new() { Boosts = { new Boost { Condition = Any(1), Add = -n } } }),
                ["`Recommend.caps`"] = n => Recommend(
                    new() { Caps = { Enumerable.Repeat(new Cap { Attribute = "category", Most = 1 }, n) } }),
                ["`Cap.most`"] = n => Recommend(new() { Caps = { new Cap { Attribute = "category", Most = n } } }),
                ["`Score.item_ids`"] = async n => await retrieval.ScoreAsync(new() { History = { known }, ItemIds = { Known(n) } }),
                ["`Explain.item_ids`"] = async n => await retrieval.ExplainAsync(
                    new() { Request = new() { History = { known } }, ItemIds = { Known(n) } }),
                ["`Similar.k`"] = async n => await retrieval.SimilarAsync(new() { ItemId = known, K = n }),
                ["`Encode.items`"] = async n => await quantizer.EncodeAsync(new() { Items = { Vectors(n) } }),
                ["`Assign.items`"] = async n => await quantizer.AssignAsync(new() { Items = { Vectors(n) } }),
                ["`Upsert.items`"] = n => Upsert(Enumerable.Repeat(new ItemUpsert { ItemId = known }, n)),
                ["`ItemUpsert.attributes`"] = n => Upsert(
                    [new ItemUpsert { ItemId = known, Clear = { Enumerable.Range(0, n).Select(i => $"a{i}") } }]),
                ["`ItemUpsert.attributes` name"] = n => Upsert([new ItemUpsert { ItemId = known, Clear = { new string('n', n) } }]),
                ["`ItemUpsert.attributes` value"] = n => Upsert(
                    [new ItemUpsert { ItemId = known, Attributes = { ["limit"] = new string('v', n) } }]),
                ["`Record.events`"] = n => Record(
                    Enumerable.Repeat(new Event { UserId = "limits", ItemId = known, Time = new() { Seconds = 1 } }, n)),
                ["`Event.user_id`"] = n => Record(
                    [new Event { UserId = new string('u', n), ItemId = known, Time = new() { Seconds = 1 } }]),
                ["`Get.item_ids`"] = async n => await items.GetAsync(new() { ItemIds = { Known(n) } }),
                ["`Nearest.k`"] = async n => await quantizer.NearestAsync(
                    new() { K = (uint)n, Embeddings = { ["text"] = BadInputTests.Unit(384) } }),
                ["`Lookup.item_ids`"] = async n => await quantizer.LookupAsync(new() { ItemIds = { Known(n) } }),
                ["`Lookup.limit`"] = async n => await quantizer.LookupAsync(new() { ItemIds = { known }, Limit = (uint)n }),
                ["`Reconstruct.semantic_ids`"] = async n => await quantizer.ReconstructAsync(
                    new() { SemanticIds = { Enumerable.Repeat(new SemanticId { Codes = { 0, 0, 0 } }, n) } }),
                ["`Generate.history`"] = n => Draw(new() { History = new() { ItemIds = { Known(n) } }, Count = 1 }),
                ["`Generate.count`"] = n => Draw(new() { ItemId = known, Count = n }),
                ["`Generate.size`"] = n => Draw(new() { ItemId = known, Size = n }),
                ["`Generate.steps`"] = n => Draw(new() { ItemId = known, Steps = n }),
                ["item id"] = n => Recommend(new() { History = { new string('i', n) } }),
            };
        }
    }

    private async Task BatchAsync(int characters)
    {
        using var call = new V1.Retrieval.RetrievalClient(world.Channel).RecommendBatch();
        await call.RequestStream.WriteAsync(new BatchedRequest { RequestId = new string('r', characters) });
        await call.RequestStream.CompleteAsync();
        await call.ResponseStream.MoveNext(default);
        if (call.ResponseStream.Current.Error is { } error)
        {
            throw new RpcException(new Status((StatusCode)error.Code, error.Message));
        }
    }

    public static TheoryData<string, int> Limits
    {
        get
        {
            var rows = new TheoryData<string, int>();
            foreach (string row in Page.SkipWhile(line => line != "## Limits").Skip(1).TakeWhile(line => !line.StartsWith('#')))
            {
                string[] cells = [.. row.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
                if (cells.Length == 2 && int.TryParse(cells[1], NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out int most))
                {
                    rows.Add(cells[0], most);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Limits))]
    public async Task A_limit_is_where_the_page_says(string field, int most)
    {
        await Calls[field](most);
        var error = await Assert.ThrowsAsync<RpcException>(() => Calls[field](most + 1));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
    }

    [Fact]
    public void Every_limit_that_is_tried_is_on_the_page_and_every_call_of_the_protos()
    {
        Assert.Equal(Calls.Keys.Order(), Limits.Select(row => (string)row[0]).Order());
        string page = string.Join('\n', Page);
        foreach (var service in new[]
        {
            RetrievalReflection.Descriptor, QuantizerReflection.Descriptor, CreativeReflection.Descriptor, VersionsReflection.Descriptor,
            ItemsReflection.Descriptor, EventsReflection.Descriptor,
        }.SelectMany(file => file.Services))
        {
            Assert.All(service.Methods, method => Assert.Matches($"`(.*, `)?({service.Name}/)?{method.Name}`", page));
        }
    }
}
