using Grpc.Core;
using Recsys.V1;

namespace Recsys.Integration.Tests;

/// <summary>Many requests over one call.</summary>
[Collection(WorldCollection.Name)]
public sealed class BatchTests(World world)
{
    private readonly V1.Retrieval.RetrievalClient _client = new(world.Channel);

    [Fact]
    public async Task Each_request_gets_the_answer_that_it_has_alone_in_its_order_and_a_bad_one_its_error()
    {
        var requests = Enumerable.Range(0, 150).Select(Request).ToList();
        using var call = _client.RecommendBatch();
        var writing = Task.Run(async () =>
        {
            foreach (var (i, request) in requests.Index())
            {
                await call.RequestStream.WriteAsync(new BatchedRequest { RequestId = $"r{i}", Request = request });
            }

            await call.RequestStream.CompleteAsync();
        });
        int at = 0;
        await foreach (var response in call.ResponseStream.ReadAllAsync())
        {
            Assert.Equal($"r{at}", response.RequestId);
            if (at % 10 == 9)
            {
                var alone = await Assert.ThrowsAsync<RpcException>(async () => await _client.RecommendAsync(requests[at]));
                Assert.Equal(((int)alone.StatusCode, alone.Status.Detail), (response.Error.Code, response.Error.Message));
            }
            else
            {
                var alone = await _client.RecommendAsync(requests[at]);
                Assert.Equal(alone.Items.Select(item => item.ItemId), response.Response.Items.Select(item => item.ItemId));
                Assert.All(
                    alone.Items.Zip(response.Response.Items), pair => Assert.Equal(pair.First.Score, pair.Second.Score, 1e-4));
                Assert.Equal(
                    (alone.Version, alone.Fallback, $"{alone.UnknownItemIds}"),
                    (response.Response.Version, response.Response.Fallback, $"{response.Response.UnknownItemIds}"));
            }

            at++;
        }

        await writing;
        Assert.Equal(requests.Count, at);
    }

    [Fact]
    public async Task Calls_that_come_at_once_get_the_answers_that_they_have_alone()
    {
        var requests = Enumerable.Range(0, 100).Where(i => i % 10 != 9).Select(Request).ToList();
        var together = await Task.WhenAll(requests.Select(async request => await _client.RecommendAsync(request)));
        foreach (var (request, answer) in requests.Zip(together))
        {
            var alone = await _client.RecommendAsync(request);
            Assert.Equal(alone.Items.Select(item => item.ItemId), answer.Items.Select(item => item.ItemId));
            Assert.All(alone.Items.Zip(answer.Items), pair => Assert.Equal(pair.First.Score, pair.Second.Score, 1e-5));
        }
    }

    [Fact]
    public async Task A_call_whose_client_waits_for_each_answer_gets_it()
    {
        using var call = _client.RecommendBatch();
        for (int i = 0; i < 3; i++)
        {
            await call.RequestStream.WriteAsync(new BatchedRequest { RequestId = $"{i}", Request = Request(i) });
            Assert.True(await call.ResponseStream.MoveNext(default));
            Assert.Equal($"{i}", call.ResponseStream.Current.RequestId);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default));
    }

    private RecommendRequest Request(int i) => (i % 10) switch
    {
        7 => new() { K = 3 },
        8 => new() { History = { "no such item", world.ItemIds[i] }, K = 2 },
        9 when i % 20 == 9 => new() { History = { world.ItemIds[i] }, K = 2000 },
        9 => new() { Conditions = { new Condition { Attribute = "colour", NoneOf = new() } } },
        3 => new()
        {
            History = { world.ItemIds.Skip(i).Take(5) }, ExcludeSeen = true,
            Conditions = { new Condition { Attribute = "category", NoneOf = new() { Values_ = { "Flags" } } } },
        },
        int kind => new() { History = { world.ItemIds.Skip(i).Take(kind + 1) }, K = 4 + kind },
    };
}
