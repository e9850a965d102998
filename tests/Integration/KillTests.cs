using System.Diagnostics;
using Grpc.Core;
using Grpc.Net.Client;
using Recsys.Cli.Demo;
using Recsys.Store.Versions;
using Recsys.V1;

namespace Recsys.Integration.Tests;

/// <summary>kill -9 of each part, at any moment: nothing wrong is ever served, and a restart answers as before.</summary>
public sealed class KillTests(TrainedVersion trained) : IClassFixture<TrainedVersion>
{
    /// <summary>A hang is a failure, not a stuck run: far beyond what any of it takes.</summary>
    private const int Patience = 180_000;

    [Fact(Timeout = Patience)]
    public async Task A_killed_server_answers_as_before_when_it_is_started_again()
    {
        string versions = trained.CopyVersions("killed-server");
        RecommendResponse before;
        SemanticId assigned;
        await using (var first = await ServeAsync(versions, "killed-1.log"))
        {
            using var channel = GrpcChannel.ForAddress(first.Address);
            before = await RecommendAsync(channel);
            assigned = await AssignAsync(channel, "late-item");
            Kill(first.Id);
        }

        await using var second = await ServeAsync(versions, "killed-2.log");
        using var again = GrpcChannel.ForAddress(second.Address);
        Assert.Equal(before, await RecommendAsync(again));
        Assert.Equal(assigned, await LookUpAsync(again, "late-item"));
        Assert.Equal(assigned, await AssignAsync(again, "late-item"));
    }

    [Fact(Timeout = Patience)]
    public async Task A_killed_Redis_comes_back_with_every_assignment_and_recommendations_never_fail()
    {
        string versions = trained.CopyVersions("killed-redis");
        await using var server = await ServeAsync(versions, "killed-redis.log");
        using var channel = GrpcChannel.ForAddress(server.Address);
        var before = await RecommendAsync(channel);
        var assigned = await AssignAsync(channel, "late-item");

        Kill(RedisOf(versions));
        Assert.Equal(before.Version, (await RecommendAsync(channel)).Version);

        SemanticId? found = null;
        while (found is null)
        {
            Assert.Equal(before.Items.Count, (await RecommendAsync(channel)).Items.Count);
            try
            {
                found = await LookUpAsync(channel, "late-item");
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable)
            {
            }
        }

        Assert.Equal(assigned, found);
        Assert.Equal(assigned, await AssignAsync(channel, "late-item"));
        var other = await AssignAsync(channel, "later-item");
        Assert.NotEqual(assigned, other);
    }

    [Fact(Timeout = Patience)]
    public async Task A_lost_Redis_is_rebuilt_from_the_folder()
    {
        string versions = trained.CopyVersions("lost-redis");
        SemanticId assigned;
        RecommendResponse before;
        await using (var first = await ServeAsync(versions, "lost-1.log"))
        {
            using var channel = GrpcChannel.ForAddress(first.Address);
            before = await RecommendAsync(channel);
            assigned = await AssignAsync(channel, "late-item");
        }

        Directory.Delete(Path.Combine(versions, ".redis"), recursive: true);
        await using var second = await ServeAsync(versions, "lost-2.log");
        using var again = GrpcChannel.ForAddress(second.Address);
        Assert.Equal(before, await RecommendAsync(again));
        Assert.Equal(assigned, await LookUpAsync(again, "late-item"));
    }

    /// <summary>Killed when the stage first shows on standard error: each time a different half-done state, which
    /// the next start finds.</summary>
    [Fact(Timeout = 4 * Patience)]
    public async Task A_rebuild_killed_at_any_stage_leaves_the_active_version_alone_and_a_repeated_one_succeeds()
    {
        string versions = trained.CopyVersions("killed-rebuild");
        await using var server = await ServeAsync(versions, "killed-rebuild.log");
        using var channel = GrpcChannel.ForAddress(server.Address);
        var before = await RecommendAsync(channel);
        var store = new VersionStore(versions);
        foreach (string stage in new[] { "quantizer", "transitions", "content", "generative", "creative", "publish" })
        {
            using var rebuild = Cli.Start([.. RebuildTo(versions, seed: "9"), "--no-activate"]);
            string? line;
            do
            {
                line = await rebuild.StandardError.ReadLineAsync();
                Assert.True(line is not null, $"the rebuild ended before its stage '{stage}'");
            }
            while (!line.StartsWith(stage, StringComparison.Ordinal));

            rebuild.Kill();
            await rebuild.WaitForExitAsync();
            Assert.Equal(before, await RecommendAsync(channel));
            Assert.All(store.List(), manifest => Assert.NotEmpty(store.Open(manifest.Version).Items.Ids));
        }

        var repeated = await Cli.DoneHereAsync([.. RebuildTo(versions, seed: "9"), "--json"]);
        string next = repeated.Json.GetProperty("version").GetString()!;
        Assert.Empty(Directory.GetDirectories(versions, ".staging*"));
        while ((await RecommendAsync(channel)).Version != next)
        {
            await Task.Yield();
        }
    }

    [Fact(Timeout = Patience)]
    public async Task A_half_published_version_is_not_served_and_activating_it_publishes_the_rest()
    {
        string versions = trained.CopyVersions("half-published");
        string active = (await File.ReadAllTextAsync(Path.Combine(versions, "active"))).Trim();

        // The first passage is of the active version, which a private Redis is given at its start; the second is of the new one.
        var killed = await Cli.RunAsync(("RECSYS_KILL_AT", "store.publish.marker:2"), RebuildTo(versions, seed: "11"));
        Assert.Equal(137, killed.ExitCode);
        string half = new VersionStore(versions).List()[^1].Version;
        Assert.NotEqual(active, half);

        await using var server = await ServeAsync(versions, "half-published.log");
        using var channel = GrpcChannel.ForAddress(server.Address);
        Assert.Equal(active, (await RecommendAsync(channel)).Version);
        await new Versions.VersionsClient(channel).ActivateAsync(new ActivateVersionRequest { Version = half });
        while ((await RecommendAsync(channel)).Version != half)
        {
            await Task.Yield();
        }

        Assert.NotNull(await LookUpAsync(channel, trained.ItemIds[0]));
        await AssignAsync(channel, "late-item");
    }

    private Task<ServerProcess> ServeAsync(string versions, string log) =>
        ServerProcess.StartAsync(versions, Path.Combine(trained.Folder, log), CancellationToken.None);

    private string[] RebuildTo(string versions, string seed) =>
        ["rebuild", "--data", trained.Data, "--out", versions, "--config", trained.Config, "--seed", seed];

    private async Task<RecommendResponse> RecommendAsync(GrpcChannel channel) =>
        await new V1.Retrieval.RetrievalClient(channel).RecommendAsync(
            new RecommendRequest { History = { trained.ItemIds[2], trained.ItemIds[5] }, K = 10 });

    private static async Task<SemanticId> AssignAsync(GrpcChannel channel, string item) =>
        (await new V1.Quantizer.QuantizerClient(channel).AssignAsync(new AssignRequest
        {
            Items = { new ItemEmbedding { ItemId = item, Embeddings = { ["text"] = BadInputTests.Unit(384) } } },
        })).Items.Single().SemanticId;

    private static async Task<SemanticId?> LookUpAsync(GrpcChannel channel, string item) =>
        (await new V1.Quantizer.QuantizerClient(channel).LookupAsync(new LookupRequest { ItemIds = { item } })).Items.Single().SemanticId;

    internal static void Kill(int process) => Process.GetProcessById(process).Kill();

    private static int RedisOf(string versions) => int.Parse(File.ReadAllText(Path.Combine(versions, ".redis", "redis.pid")).Trim());
}
