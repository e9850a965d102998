using Recsys.Catalog;
using Recsys.Cli.Verbs;
using Recsys.Protos;
using Recsys.Store.Versions;
using Recsys.V1;

namespace Recsys.Integration.Tests;

/// <summary>A version is swapped in under load: no call fails, and each answer is right for the version that it names.</summary>
[Collection(WorldCollection.Name)]
public sealed class SwapTests(World world)
{
    /// <summary>A hang is a failure, not a stuck run: far beyond what any of it takes.</summary>
    private const int Patience = 180_000;

    [Fact(Timeout = Patience)]
    public async Task A_rebuild_is_swapped_in_under_load_without_a_failed_or_mixed_answer()
    {
        var retrieval = new V1.Retrieval.RetrievalClient(world.Channel);
        var versions = new Versions.VersionsClient(world.Channel);
        using var stop = new CancellationTokenSource();
        var answers = new List<RecommendResponse>();
        var load = Task.Run(async () =>
        {
            for (int call = 0; !stop.IsCancellationRequested; call++)
            {
                var request = new RecommendRequest { History = { world.ItemIds[call % world.ItemIds.Length] }, K = 5 };
                answers.Add(await retrieval.RecommendAsync(request));
            }
        });

        string next = (await world.Rebuild("--seed", "6")).Json.GetProperty("version").GetString()!;
        while ((await versions.ListAsync(new ListVersionsRequest())).Serving != next)
        {
            await Task.Yield();
        }

        Assert.Equal(next, (await retrieval.RecommendAsync(new RecommendRequest { History = { world.ItemIds[0] } })).Version);
        await stop.CancelAsync();
        await load;

        Assert.Contains(answers, answer => answer.Version != next);
        var tables = answers.Select(answer => answer.Version).Distinct().ToDictionary(version => version, ReadTable);
        Assert.All(answers, answer => Assert.All(answer.Items, item =>
            Assert.Equal(tables[answer.Version][item.ItemId], item.SemanticId.ToText())));

        var back = await versions.RollbackAsync(new RollbackVersionRequest());
        Assert.Equal(next, back.Previous);
        Assert.NotEqual(next, back.Active);
        while ((await versions.ListAsync(new ListVersionsRequest())).Serving != back.Active)
        {
            await Task.Yield();
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_new_item_is_assigned_once_found_both_ways_and_recommendable()
    {
        var quantizer = new V1.Quantizer.QuantizerClient(world.Channel);
        var item = new ItemEmbedding
        {
            ItemId = "brand-new", Title = "Brand new", Embeddings = { ["text"] = BadInputTests.Unit(384) },
        };
        var request = new AssignRequest { Items = { item } };
        var first = (await quantizer.AssignAsync(request)).Items.Single();
        var second = (await quantizer.AssignAsync(request)).Items.Single();
        Assert.False(first.Existing);
        Assert.True(second.Existing);
        Assert.Equal(first.SemanticId, second.SemanticId);

        var prefix = new CodePrefix();
        prefix.Codes.AddRange(first.SemanticId.Codes);
        var looked = await quantizer.LookupAsync(new LookupRequest { ItemIds = { "brand-new" }, Prefixes = { prefix } });
        Assert.Equal(first.SemanticId, looked.Items.Single().SemanticId);
        Assert.Contains("brand-new", looked.Prefixes.Single().ItemIds);

        var retrieval = new V1.Retrieval.RetrievalClient(world.Channel);
        // 700 items seen and left out: the answer holds all that are left, this one among them.
        var everything = new RecommendRequest { K = 1000, Beam = 1000, ExcludeSeen = true };
        everything.History.AddRange(world.ItemIds.Take(700));
        await UntilKnownAsync(retrieval, "brand-new");
        var answer = await retrieval.RecommendAsync(everything);
        Assert.Contains(answer.Items, found => found.ItemId == "brand-new");
    }

    /// <summary>The server follows the stream of appended items; until it has seen one, an answer names it as unknown.</summary>
    internal static async Task UntilKnownAsync(V1.Retrieval.RetrievalClient retrieval, params string[] items)
    {
        // Far beyond what it takes; the call that meets this end fails the test.
        var deadline = DateTime.UtcNow.AddMinutes(1);
        var request = new RecommendRequest { History = { items } };
        while ((await retrieval.RecommendAsync(request, deadline: deadline)).UnknownItemIds.Count > 0)
        {
            await Task.Yield();
        }
    }

    private Dictionary<string, string> ReadTable(string version)
    {
        var folder = new VersionStore(world.Versions).Open(version);
        var table = Enumerable.Range(0, folder.Items.Count).ToDictionary(
            item => folder.Items.Ids[item], item => folder.Items.SemanticIds[item].ToString());
        foreach (var appended in new VersionStore(world.Versions).Appended(version))
        {
            table.TryAdd(appended.ItemId, appended.SemanticId.ToString());
        }

        return table;
    }
}
