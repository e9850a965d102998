using System.Net;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Recsys.Catalog;
using Recsys.Server.Serving;
using Recsys.V1;

namespace Recsys.Integration.Tests;

/// <summary>JSON over HTTP/1.1: the same services with the same answers, faults as HTTP statuses with a message.</summary>
[Collection(WorldCollection.Name)]
public sealed class JsonTests(World world)
{
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default);

    private readonly HttpClient _http = new() { BaseAddress = new Uri(world.HttpAddress) };

    [Fact]
    public async Task Recommend_answers_as_gRPC_does()
    {
        var request = new RecommendRequest { History = { world.ItemIds.Take(3) }, K = 5 };
        var expected = await new V1.Retrieval.RetrievalClient(world.Channel).RecommendAsync(request);
        Assert.Equal(expected, await PostAsync<RecommendResponse>("/v1/retrieval/recommend", request));
    }

    [Fact]
    public async Task Encode_Assign_and_Lookup_answer_as_gRPC_does()
    {
        var client = new V1.Quantizer.QuantizerClient(world.Channel);
        var item = new ItemEmbedding { ItemId = "by/json %2F", Title = "Ž", Embeddings = { ["text"] = BadInputTests.Unit(384) } };
        var encode = new EncodeRequest { Items = { item } };
        Assert.Equal(await client.EncodeAsync(encode), await PostAsync<EncodeResponse>("/v1/quantizer/encode", encode));

        var assign = new AssignRequest { Items = { item } };
        var assigned = await PostAsync<AssignResponse>("/v1/quantizer/assign", assign);
        Assert.False(assigned.Items.Single().Existing);
        var again = (await client.AssignAsync(assign)).Items.Single();
        Assert.True(again.Existing);
        Assert.Equal(again.SemanticId, assigned.Items.Single().SemanticId);

        var lookup = new LookupRequest
        {
            ItemIds = { item.ItemId, world.ItemIds[0] },
            Prefixes = { new CodePrefix { Codes = { again.SemanticId.Codes } } },
        };
        Assert.Equal(await client.LookupAsync(lookup), await PostAsync<LookupResponse>("/v1/quantizer/lookup", lookup));
    }

    [Fact]
    public async Task Versions_answer_as_gRPC_does_and_a_version_with_assigned_items_can_be_activated()
    {
        var item = new ItemEmbedding { ItemId = "before activation", Embeddings = { ["text"] = BadInputTests.Unit(384) } };
        await new V1.Quantizer.QuantizerClient(world.Channel).AssignAsync(new AssignRequest { Items = { item } });
        var client = new Versions.VersionsClient(world.Channel);
        var expected = await client.ListAsync(new ListVersionsRequest());
        Assert.Equal(expected, JsonParser.Default.Parse<ListVersionsResponse>(await _http.GetStringAsync("/v1/versions")));
        var describe = new DescribeVersionRequest { Version = world.Version };
        Assert.Equal(await client.DescribeAsync(describe), await PostAsync<V1.VersionInfo>("/v1/versions/describe", describe));
        var activate = new ActivateVersionRequest { Version = expected.Active };
        Assert.Equal(expected.Active, (await PostAsync<ActivateVersionResponse>("/v1/versions/activate", activate)).Active);
    }

    [Fact]
    public async Task A_drawing_comes_as_one_JSON_object_a_line_with_the_pictures_of_gRPC()
    {
        var request = new GenerateRequest { ItemId = world.ItemIds[0], Count = 2, Seed = 3 };
        using var call = new Creative.CreativeClient(world.Channel).Generate(request);
        var expected = await Images(call.ResponseStream.ReadAllAsync());

        using var response = await SendAsync("/v1/creative/generate", Formatter.Format(request));
        var lines = (await response.Content.ReadAsStringAsync())
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(JsonParser.Default.Parse<GenerateResponse>).ToList();
        Assert.Equal(GenerateResponse.EventOneofCase.Progress, lines[0].EventCase);
        Assert.Equal(expected, await Images(lines.ToAsyncEnumerable()));
    }

    [Fact]
    public async Task An_integer_of_64_bits_is_a_JSON_string_both_ways()
    {
        const long seed = (1L << 53) + 1; // the first that a JavaScript number cannot hold
        using var response = await SendAsync("/v1/creative/generate",
            $$"""{ "itemId": "{{world.ItemIds[0]}}", "seed": "{{seed}}", "steps": 1 }""");
        string last = (await response.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        var image = JsonDocument.Parse(last).RootElement.GetProperty("image");
        Assert.Equal(JsonValueKind.String, image.GetProperty("seed").ValueKind);
        Assert.Equal($"{seed}", image.GetProperty("seed").GetString());
    }

    [Theory]
    [InlineData("/v1/creative/generate", """{ "itemId": "no-such-item" }""", HttpStatusCode.NotFound,
        StatusCode.NotFound, "no-such-item", null)]
    [InlineData("/v1/retrieval/recommend", """{ "history": ["a\tb"] }""", HttpStatusCode.BadRequest,
        StatusCode.InvalidArgument, "has a tab or line break", "history")]
    [InlineData("/v1/quantizer/lookup", """{ "limit": 10001, "itemIds": ["a"] }""", HttpStatusCode.BadRequest,
        StatusCode.InvalidArgument, "10000", "limit")]
    [InlineData("/v1/creative/generate", """{ "count": 1 }""", HttpStatusCode.BadRequest, StatusCode.InvalidArgument, "No subject", null)]
    [InlineData("/v1/versions/describe", """{ "version": "v-none" }""", HttpStatusCode.NotFound, StatusCode.NotFound, "v-none", null)]
    public async Task A_typed_error_is_an_HTTP_status_with_its_message_and_reason(
        string path, string body, HttpStatusCode status, StatusCode code, string says, string? field)
    {
        using var response = await SendAsync(path, body);
        Assert.Equal(status, response.StatusCode);
        var error = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal((int)code, error.GetProperty("code").GetInt32());
        Assert.Contains(says, error.GetProperty("message").GetString(), StringComparison.Ordinal);
        var details = error.GetProperty("details").EnumerateArray().ToList();
        Assert.Equal(field is null ? 1 : 2, details.Count);
        if (field is not null)
        {
            var violation = details[1].GetProperty("fieldViolations").EnumerateArray().Single();
            Assert.Equal(field, violation.GetProperty("field").GetString());
            Assert.Equal(error.GetProperty("message").GetString(), violation.GetProperty("description").GetString());
        }

        var info = details[0];
        Assert.Equal("recsys", info.GetProperty("domain").GetString());
        Assert.Equal(code.ToString().ToUpperInvariant(),
            info.GetProperty("reason").GetString()!.Replace("_", "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/v1/retrieval/recommend", "{ \"history\": [", "application/json", HttpStatusCode.BadRequest)]
    [InlineData("/v1/retrieval/recommend", """{ "history": "not a list" }""", "application/json", HttpStatusCode.BadRequest)]
    [InlineData("/v1/retrieval/recommend", "history=5", "text/plain", HttpStatusCode.BadRequest)]
    [InlineData("/v1/retrieval/no-such-method", "{}", "application/json", HttpStatusCode.NotFound)]
    public async Task What_is_no_request_is_refused(string path, string body, string type, HttpStatusCode status)
    {
        using var response = await _http.PostAsync(path, new StringContent(body, Encoding.UTF8, type));
        Assert.Equal(status, response.StatusCode);
    }

    /// <summary>A filter with a misspelt name would filter nothing.</summary>
    [Theory]
    [InlineData("/v1/retrieval/recommend", """{ "histroy": ["a"] }""", "histroy")]
    [InlineData("/v1/retrieval/recommend", """{ "conditions": [{ "attribute": "a", "number": { "minimum": 1 } }] }""", "minimum")]
    [InlineData("/v1/items/upsert", """{ "items": [{ "itemId": "a", "attribute": { "stock": "0" } }] }""", "attribute")]
    [InlineData("/v1/items/upsert", """{ "items": [{ "itemId": "a", "attributes": { "stock": 7 } }] }""", "UpsertItemsRequest")]
    [InlineData("/v1/retrieval/similar", """{ "itemId": "a", "by": "content" }""", "content")]
    [InlineData("/v1/retrieval/recommend", "", "The body is empty")]
    [InlineData("/v1/retrieval/recommend", "[]", "RecommendRequest")]
    public async Task A_body_that_is_not_what_its_call_takes_is_refused_with_the_fields_there_are(string path, string body, string says)
    {
        foreach (bool chunked in new[] { false, true })
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
            request.Headers.TransferEncodingChunked = chunked;
            using var response = await _http.SendAsync(request);
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            var error = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
            Assert.Equal((int)StatusCode.InvalidArgument, error.GetProperty("code").GetInt32());
            Assert.Contains(says, error.GetProperty("message").GetString(), StringComparison.Ordinal);
            Assert.Equal("INVALID_ARGUMENT", error.GetProperty("details")[0].GetProperty("reason").GetString());
        }
    }

    [Fact]
    public async Task A_body_beyond_the_limit_is_refused_before_it_is_read()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/retrieval/recommend")
        {
            Content = new Announced(Server.Serving.ServeOptions.MaxJsonBytes + 1),
        };
        request.Headers.ExpectContinue = true;
        using var patient = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = Timeout.InfiniteTimeSpan });
        patient.BaseAddress = _http.BaseAddress;
        using var response = await patient.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains($"{Server.Serving.ServeOptions.MaxJsonBytes}",
            await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private async Task<T> PostAsync<T>(string path, IMessage request)
        where T : IMessage<T>, new()
    {
        using var response = await SendAsync(path, Formatter.Format(request));
        string body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, body);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        return JsonParser.Default.Parse<T>(body);
    }

    private Task<HttpResponseMessage> SendAsync(string path, string body) =>
        _http.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));

    private static async Task<List<GeneratedImage>> Images(IAsyncEnumerable<GenerateResponse> messages) =>
        await messages.Where(message => message.EventCase == GenerateResponse.EventOneofCase.Image)
            .Select(message => message.Image).ToListAsync();

    /// <summary>A body that is announced and never sent: the server must answer before it asks for it.</summary>
    private sealed class Announced : HttpContent
    {
        public Announced(long length)
        {
            Headers.ContentLength = length;
            Headers.ContentType = new("application/json");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            throw new InvalidOperationException("The server asked for a body beyond its limit.");

        protected override bool TryComputeLength(out long length)
        {
            length = Headers.ContentLength!.Value;
            return true;
        }
    }
}
