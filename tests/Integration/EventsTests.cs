using Grpc.Net.Client;
using Recsys.Cli.Demo;
using Recsys.Store.Versions;
using Recsys.V1;

namespace Recsys.Integration.Tests;

/// <summary>Interactions as they happen: servers learn from them, and the next rebuild does.</summary>
public sealed class EventsTests(TrainedVersion trained) : IClassFixture<TrainedVersion>
{
    /// <summary>A hang is a failure, not a stuck run: far beyond what any of it takes.</summary>
    private const int Patience = 180_000;

    [Fact(Timeout = Patience)]
    public async Task What_follows_what_is_learned_by_every_server_and_again_after_its_start_and_by_the_next_rebuild()
    {
        string versions = trained.CopyVersions("events");
        var (from, to) = (trained.ItemIds[11], trained.ItemIds[700]);
        double before, after;
        await using (var one = await ServeAsync(versions, "events-1.log"))
        await using (var two = await ServeAsync(versions, "events-2.log"))
        {
            using var channel = GrpcChannel.ForAddress(one.Address);
            using var other = GrpcChannel.ForAddress(two.Address);
            before = await EvidenceAsync(other, from, to);
            var answers = new List<RecordEventsResponse>();
            using (var call = new Events.EventsClient(channel).RecordMany())
            {
                foreach (var some in Touches(from, to, 60).Chunk(50))
                {
                    await call.RequestStream.WriteAsync(new RecordEventsRequest { Events = { some } });
                    await call.ResponseStream.MoveNext(default);
                    answers.Add(call.ResponseStream.Current);
                }

                await call.RequestStream.CompleteAsync();
            }

            Assert.Equal((120, 0, 0), (answers.Sum(one => one.Recorded), answers.Sum(one => one.Duplicates), answers.Sum(one => one.Late)));
            var again = await new Events.EventsClient(other).RecordAsync(new RecordEventsRequest { Events = { Touches(from, to, 60) } });
            Assert.Equal((0, 120, 0), (again.Recorded, again.Duplicates, again.Late));
            after = await UntilMoreAsync(other, from, to, before);
            Assert.Equal(after, await UntilMoreAsync(channel, from, to, before), 1e-5);
        }

        Directory.Delete(Path.Combine(versions, ".redis"), recursive: true);
        await using (var rebuilt = await ServeAsync(versions, "events-3.log"))
        {
            using var channel = GrpcChannel.ForAddress(rebuilt.Address);
            Assert.Equal(after, await UntilMoreAsync(channel, from, to, before), 1e-5);
        }

        await RebuildAsync(versions);
    }

    private async Task RebuildAsync(string versions)
    {
        string data = Path.Combine(trained.Folder, "events-data");
        foreach (string file in Directory.EnumerateFiles(trained.Data, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(data, Path.GetRelativePath(trained.Data, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        // What was told less than ten seconds ago waits for the next rebuild; these were told before a server was started twice.
        await Task.Delay(TimeSpan.FromSeconds(10));
        var told = await Cli.DoneHereAsync(
            ["rebuild", "--data", data, "--out", versions, "--config", trained.Config, "--events", "--no-pictures", "--json"]);
        Assert.Equal(120, File.ReadLines(Path.Combine(data, "events.jsonl")).Count());
        var manifest = new VersionStore(versions).List()[^1];
        Assert.Equal(told.Json.GetProperty("version").GetString(), manifest.Version);
        Assert.Equal(
            new VersionStore(versions).EventsNoted(DateTimeOffset.MinValue).Take(120).Max(one => one.Noted),
            manifest.Description.EventsUntil);
    }

    private static IEnumerable<Event> Touches(string from, string to, int users)
    {
        var start = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow.Date.AddHours(-1));
        for (int user = 0; user < users; user++)
        {
            yield return new Event { UserId = $"live {user}", ItemId = from, Time = start };
            yield return new Event
            {
                UserId = $"live {user}", ItemId = to, Time = start + new Google.Protobuf.WellKnownTypes.Duration { Seconds = 60 },
            };
        }
    }

    private static async Task<double> UntilMoreAsync(GrpcChannel channel, string from, string to, double before)
    {
        double now;
        while ((now = await EvidenceAsync(channel, from, to)) <= before)
        {
            await Task.Delay(100);
        }

        return now;
    }

    private static async Task<double> EvidenceAsync(GrpcChannel channel, string from, string to)
    {
        var answer = await new V1.Retrieval.RetrievalClient(channel).ScoreAsync(new ScoreRequest { History = { from }, ItemIds = { to } });
        return answer.Items.Single().Parts.Single(part => part.Leg == "transitions").Value;
    }

    private Task<ServerProcess> ServeAsync(string versions, string log) =>
        ServerProcess.StartAsync(versions, Path.Combine(trained.Folder, log), CancellationToken.None);
}
