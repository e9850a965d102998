using Grpc.Core;
using Recsys.Catalog;
using Recsys.Store.Versions;
using Recsys.V1;

namespace Recsys.Integration.Tests;

/// <summary>Bad input over gRPC: a status that a program can act on, and a message that tells a person what to do.</summary>
[Collection(WorldCollection.Name)]
public sealed class BadInputTests(World world)
{
    private readonly V1.Retrieval.RetrievalClient _retrieval = new(world.Channel);
    private readonly V1.Quantizer.QuantizerClient _quantizer = new(world.Channel);
    private readonly Creative.CreativeClient _creative = new(world.Channel);
    private readonly Versions.VersionsClient _versions = new(world.Channel);

    [Fact]
    public async Task An_unknown_item_is_passed_over_and_named()
    {
        await UntilAllAssignedIsKnownAsync();
        var answer = await _retrieval.RecommendAsync(new RecommendRequest { History = { world.ItemIds[0], "no-such-item" } });
        Assert.Equal(["no-such-item"], answer.UnknownItemIds);
        Assert.Equal(Fallback.Unspecified, answer.Fallback);
        var known = await _retrieval.RecommendAsync(new RecommendRequest { History = { world.ItemIds[0] } });
        Assert.Equal(known.Items, answer.Items);
        Assert.All(answer.Items, item => Assert.Equal(item.Score, item.Parts.Sum(part => part.Weight * part.Value), 1e-9));
        Assert.All(answer.Items, item => Assert.Equal(
            ["transitions", "id", "content", "generative"], item.Parts.Take(4).Select(part => part.Leg)));
        Assert.All(answer.Items, item => Assert.All(item.Reasons, reason => Assert.Equal(world.ItemIds[0], reason.ItemId)));
        Assert.Contains(answer.Items, item => item.Reasons.Count == 1);
        Assert.All(answer.Items, item => Assert.InRange(item.Probability, 0, 1));
        Assert.InRange(answer.Items.Sum(item => item.Probability), 1e-9, 1);
    }

    [Fact]
    public async Task An_empty_history_is_answered_with_popular_items_and_says_so()
    {
        var answer = await _retrieval.RecommendAsync(new RecommendRequest { K = 5 });
        Assert.Equal((Fallback.EmptyHistory, 5), (answer.Fallback, answer.Items.Count));
        Assert.All(answer.Items, item => Assert.Empty(item.Parts));
        Assert.All(answer.Items, item => Assert.Equal(Math.Exp(item.Score), item.Probability, 1e-12));
        Assert.Equal(answer.Items.Select(item => item.Score).OrderDescending(), answer.Items.Select(item => item.Score));
        var unknown = await _retrieval.RecommendAsync(new RecommendRequest { History = { "no-such-item" }, K = 5 });
        Assert.Equal(Fallback.UnknownHistory, unknown.Fallback);
        Assert.Equal(answer.Items, unknown.Items);
    }

    /// <summary>A status travels in the headers: one beyond 8 KB reaches a client as another error, without a word of ours.</summary>
    [Theory]
    [InlineData("x")]
    [InlineData("末")]
    public async Task An_endless_name_is_refused_by_its_beginning(string letter)
    {
        string id = string.Concat(Enumerable.Repeat(letter, 8192));
        await Refused(
            StatusCode.InvalidArgument, id[..60], async () => await _retrieval.RecommendAsync(new RecommendRequest { History = { id } }));
        await Refused(
            StatusCode.InvalidArgument, id[..300],
            async () => await _versions.DescribeAsync(new DescribeVersionRequest { Version = id }));
        await Refused(StatusCode.InvalidArgument, id[..60], () => DrawAsync(new GenerateRequest { ItemId = id }));
        var history = new ItemHistory { ItemIds = { id } };
        await Refused(StatusCode.InvalidArgument, id[..60], () => DrawAsync(new GenerateRequest { History = history }));
    }

    [Fact]
    public async Task A_status_says_in_its_details_who_refused_and_why()
    {
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await _retrieval.RecommendAsync(new RecommendRequest { K = -1 }));
        var status = refused.GetRpcStatus()!;
        Assert.Equal((int)refused.StatusCode, status.Code);
        Assert.Equal(refused.Status.Detail, status.Message);
        Assert.Equal(new Google.Rpc.ErrorInfo { Domain = "recsys", Reason = "INVALID_ARGUMENT" }, status.GetDetail<Google.Rpc.ErrorInfo>());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1001)]
    [InlineData(1_000_000)]
    public Task K_out_of_range_is_refused_with_its_range(int k) =>
        Refused(
            StatusCode.InvalidArgument, "1000",
            async () => await _retrieval.RecommendAsync(new RecommendRequest { History = { world.ItemIds[0] }, K = k }));

    [Fact]
    public Task A_beam_narrower_than_k_is_refused() =>
        Refused(
            StatusCode.InvalidArgument, "eam",
            async () => await _retrieval.RecommendAsync(new RecommendRequest { History = { world.ItemIds[0] }, K = 20, Beam = 5 }));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public Task An_embedding_that_is_not_finite_is_refused_and_nothing_is_stored(float value)
    {
        var vector = new Vector();
        vector.Values.AddRange(Enumerable.Repeat(value, 384));
        return NothingStored("nan-item", "text", vector);
    }

    [Fact]
    public Task A_wrong_dimension_is_refused_and_nothing_is_stored() =>
        NothingStored("short-item", "text", new Vector { Values = { 1, 2, 3 } });

    [Fact]
    public Task An_unknown_embedding_is_refused_and_nothing_is_stored() =>
        NothingStored("odd-item", "smell", new Vector { Values = { 1 } });

    [Fact]
    public async Task One_bad_item_of_many_stores_none_of_them()
    {
        var request = new AssignRequest
        {
            Items =
            {
                new ItemEmbedding { ItemId = "good-beside-bad", Embeddings = { ["text"] = Unit(384) } },
                new ItemEmbedding { ItemId = "bad-beside-good", Embeddings = { ["text"] = new Vector { Values = { 1 } } } },
            },
        };
        await Assert.ThrowsAsync<RpcException>(async () => await _quantizer.AssignAsync(request));
        Assert.Null((await _quantizer.LookupAsync(new LookupRequest { ItemIds = { "good-beside-bad" } })).Items.Single().SemanticId);
    }

    [Theory]
    [InlineData("count -1", -1, 0, 0, 0)]
    [InlineData("count 65", 65, 0, 0, 0)]
    [InlineData("size is 7", 1, 7, 0, 0)]
    [InlineData("size is 1025", 1, 1025, 0, 0)]
    [InlineData("guidance is -1", 1, 0, -1.0, 0)]
    [InlineData("guidance is 20.5", 1, 0, 20.5, 0)]
    [InlineData("guidance is NaN", 1, 0, double.NaN, 0)]
    [InlineData("steps is -1", 1, 0, 0, -1)]
    [InlineData("steps is 1001", 1, 0, 0, 1001)]
    public Task A_drawing_out_of_bounds_is_refused_with_the_value(string value, int count, int size, double guidance, int steps) =>
        Refused(StatusCode.InvalidArgument, value, () => DrawAsync(new GenerateRequest
        {
            ItemId = world.ItemIds[0], Count = count, Size = size, Guidance = guidance, Steps = steps,
        }));

    [Fact]
    public Task A_drawing_of_nothing_is_refused() =>
        Refused(StatusCode.InvalidArgument, "subject", () => DrawAsync(new GenerateRequest { Count = 1 }));

    [Fact]
    public Task A_code_outside_the_codebook_is_refused_with_the_codebooks_size() =>
        Refused(
            StatusCode.InvalidArgument, "16", () => DrawAsync(new GenerateRequest { SemanticId = new V1.SemanticId { Codes = { 16 } } }));

    [Fact]
    public Task An_unknown_version_is_not_activated() =>
        Refused(
            StatusCode.NotFound, "v-none",
            async () => await _versions.ActivateAsync(new ActivateVersionRequest { Version = "v-none" }));

    [Theory]
    [InlineData("../" + "../etc")]
    [InlineData("")]
    [InlineData("a/b")]
    public async Task A_version_name_never_leaves_the_folder(string version)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(
            async () => await _versions.DescribeAsync(new DescribeVersionRequest { Version = version }));
        Assert.Contains(refused.StatusCode, new[] { StatusCode.InvalidArgument, StatusCode.NotFound });
    }

    internal static Vector Unit(int dim)
    {
        var vector = new Vector();
        vector.Values.AddRange(Enumerable.Range(0, dim).Select(i => i == 3 ? 1f : 0f));
        return vector;
    }

    private async Task DrawAsync(GenerateRequest request)
    {
        using var call = _creative.Generate(request);
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
        }
    }

    /// <summary>What other tests assigned reaches the answers in its own time, and could come between two that are compared.</summary>
    private async Task UntilAllAssignedIsKnownAsync()
    {
        string version = (await _versions.ListAsync(new ListVersionsRequest())).Serving;
        string[] assigned = [.. new VersionStore(world.Versions).Appended(version).Select(item => item.ItemId)];
        await SwapTests.UntilKnownAsync(_retrieval, assigned);
    }

    private async Task NothingStored(string item, string embedding, Vector vector)
    {
        var request = new AssignRequest { Items = { new ItemEmbedding { ItemId = item, Embeddings = { [embedding] = vector } } } };
        await Refused(StatusCode.InvalidArgument, "", async () => await _quantizer.AssignAsync(request));
        var looked = await _quantizer.LookupAsync(new LookupRequest { ItemIds = { item } });
        Assert.Null(looked.Items.Single().SemanticId);
    }

    private static async Task Refused(StatusCode code, string says, Func<Task> call)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal(code, refused.StatusCode);
        Assert.Contains(says, refused.Status.Detail, StringComparison.Ordinal);
        Assert.True(refused.Status.Detail.Length > 20, $"'{refused.Status.Detail}' does not say what to do.");
    }
}
