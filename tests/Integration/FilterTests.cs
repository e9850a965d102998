using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.V1;

namespace Recsys.Integration.Tests;

/// <summary>What a request asks of its answers, from the columns of the items file to every way of calling.</summary>
[Collection(WorldCollection.Name)]
public sealed class FilterTests(World world)
{
    private const string Column = "category";

    [Fact]
    public async Task Answers_and_fallbacks_hold_what_is_asked_of_their_attributes_and_lists()
    {
        using var dataset = Dataset.Open(world.Data);
        var category = dataset.Items.ToDictionary(item => item.Id, item => item.Fields.GetValueOrDefault(Column, ""));
        string largest = category.Values.CountBy(value => value).MaxBy(group => group.Value).Key;
        string[] members = [.. category.Where(item => item.Value == largest).Select(item => item.Key)];
        string[] gone = members[..(members.Length / 2)];
        var client = new V1.Retrieval.RetrievalClient(world.Channel);
        foreach (string[] history in new[] { world.ItemIds[..3], members[^1..], [] })
        {
            var request = new RecommendRequest
            {
                History = { history }, K = 1000, ExcludeSeen = true, Exclude = { gone },
                Conditions = { new Condition { Attribute = Column, AnyOf = new Values { Values_ = { largest } } } },
            };
            var answer = await client.RecommendAsync(request);
            Assert.Equal(members.Except(gone).Except(history).Order(), answer.Items.Select(item => item.ItemId).Order());

            request.Conditions[0] = new Condition { Attribute = Column, NoneOf = new Values { Values_ = { largest } } };
            string[] some = [.. world.ItemIds.Where((_, i) => i % 2 == 0)];
            request.Candidates = new ItemSet { ItemIds = { some } };
            answer = await client.RecommendAsync(request);
            Assert.Equal(
                some.Except(members).Except(gone).Except(history).Order(), answer.Items.Select(item => item.ItemId).Order());
        }
    }

    [Fact]
    public async Task The_command_line_and_JSON_take_conditions_and_lists_as_gRPC_does()
    {
        using var dataset = Dataset.Open(world.Data);
        string category = dataset.Items[0].Fields[Column], seen = dataset.Items[1].Id;
        var request = new RecommendRequest
        {
            History = { seen }, K = 5,
            Conditions = { new Condition { Attribute = Column, AnyOf = new Values { Values_ = { category, "none has this" } } } },
        };
        var client = new V1.Retrieval.RetrievalClient(world.Channel);
        string first = (await client.RecommendAsync(request)).Items[0].ItemId;
        request.Exclude.Add(first);
        string[] expected = [.. (await client.RecommendAsync(request)).Items.Select(item => item.ItemId)];
        Assert.Equal(5, expected.Length);

        var told = (await Cli.DoneHereAsync(
        [
            "recommend", seen, "-k", "5", "--where", $"{Column}={category}|none has this", "--exclude", first, "--server", world.Address,
            "--json",
        ])).Json;
        Assert.Equal(expected, told.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("item_id").GetString()));

        string json = $$"""
            {
              "history": [{{JsonSerializer.Serialize(seen)}}], "k": 5, "exclude": [{{JsonSerializer.Serialize(first)}}],
              "conditions": [{ "attribute": "{{Column}}", "anyOf": { "values": [{{JsonSerializer.Serialize(category)}}] } }]
            }
            """;
        using var answer = JsonDocument.Parse(await PostAsync("/v1/retrieval/recommend", json));
        Assert.Equal(
            expected, answer.RootElement.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("itemId").GetString()));
    }

    [Fact]
    public async Task Scores_and_similar_items_are_the_same_by_gRPC_JSON_and_the_command_line()
    {
        var client = new V1.Retrieval.RetrievalClient(world.Channel);
        var score = new ScoreRequest { History = { world.ItemIds[..3] }, ItemIds = { world.ItemIds[40..45] } };
        var scored = await client.ScoreAsync(score);
        Assert.Equal(world.ItemIds[40..45], scored.Items.Select(item => item.ItemId));
        Assert.Equal(
            scored, JsonParser.Default.Parse<ScoreResponse>(await PostAsync("/v1/retrieval/score", JsonFormatter.Default.Format(score))));

        foreach (string by in new[] { "codes", "content", "transitions" })
        {
            var request = new SimilarRequest { ItemId = world.ItemIds[7], K = 3, By = Enum.Parse<Likeness>(by, ignoreCase: true) };
            var similar = await client.SimilarAsync(request);
            Assert.Equal(3, similar.Items.Count);
            Assert.Equal(
                similar,
                JsonParser.Default.Parse<SimilarResponse>(await PostAsync("/v1/retrieval/similar", JsonFormatter.Default.Format(request))));
            var told = (await Cli.DoneHereAsync(
                ["similar", world.ItemIds[7], "-k", "3", "--by", by, "--server", world.Address, "--json"])).Json;
            Assert.Equal(
                similar.Items.Select(item => item.ItemId),
                told.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("item_id").GetString()));
        }
    }

    [Fact]
    public async Task Two_candidates_are_the_whole_answer_and_an_unknown_attribute_is_named()
    {
        var told = (await Cli.DoneHereAsync(
        [
            "recommend", world.ItemIds[0], "--candidate", world.ItemIds[5], "--candidate", world.ItemIds[9], "--server", world.Address,
            "--json",
        ])).Json;
        Assert.Equal(
            world.ItemIds[5..10].Where((_, i) => i is 0 or 4).Order(),
            told.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("item_id").GetString()).Order());
        var cheap = new Condition { Attribute = "colour", Number = new NumberRange { Max = 1 } };
        var error = await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () =>
            await new V1.Retrieval.RetrievalClient(world.Channel).RecommendAsync(new RecommendRequest { Conditions = { cheap } }));
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, error.StatusCode);
        Assert.Contains("no attribute 'colour'; they have: category", error.Status.Detail, StringComparison.Ordinal);
    }

    private async Task<string> PostAsync(string path, string json)
    {
        using var http = new HttpClient { BaseAddress = new Uri(world.HttpAddress) };
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri(path, UriKind.Relative), content);
        return await answer.Content.ReadAsStringAsync();
    }
}
