using Grpc.Net.Client;
using Recsys.Cli.Demo;
using Recsys.Store.Versions;
using Recsys.V1;

namespace Recsys.Integration.Tests;

/// <summary>Interactions as they happen: servers learn from them, and the next rebuild does.</summary>
public sealed class EventsTests(TrainedVersion trained) : IClassFixture<TrainedVersion>
{
    private static readonly Google.Protobuf.WellKnownTypes.Duration Minute = new() { Seconds = 60 };

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
                foreach (var some in Touches(trained.ItemIds[300], from, to, 60).Chunk(75))
                {
                    await call.RequestStream.WriteAsync(new RecordEventsRequest { Events = { some } });
                    await call.ResponseStream.MoveNext(default);
                    answers.Add(call.ResponseStream.Current);
                }

                await call.RequestStream.CompleteAsync();
            }

            Assert.Equal((180, 0, 0), (answers.Sum(one => one.Recorded), answers.Sum(one => one.Duplicates), answers.Sum(one => one.Late)));
            var again = await new Events.EventsClient(other).RecordAsync(
                new RecordEventsRequest { Events = { Touches(trained.ItemIds[300], from, to, 60) } });
            Assert.Equal((0, 180, 0), (again.Recorded, again.Duplicates, again.Late));
            after = await UntilMoreAsync(other, from, to, before);
            Assert.Equal(after, await UntilMoreAsync(channel, from, to, before), 1e-5);
        }

        Directory.Delete(Path.Combine(versions, ".redis"), recursive: true);
        await using (var rebuilt = await ServeAsync(versions, "events-3.log"))
        {
            using var channel = GrpcChannel.ForAddress(rebuilt.Address);
            Assert.Equal(after, await UntilMoreAsync(channel, from, to, before), 1e-5);
        }

        await RebuildAsync(versions, from, to, before);
    }

    private async Task RebuildAsync(string versions, string from, string to, double before)
    {
        string data = Path.Combine(trained.Folder, "events-data");
        foreach (string file in Directory.EnumerateFiles(trained.Data, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(data, Path.GetRelativePath(trained.Data, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        // What was told less than a minute ago waits for the next rebuild: here the journal is made older.
        foreach (string journal in Directory.GetFiles(Path.Combine(versions, "live"), "events-*.jsonl"))
        {
            var lines = File.ReadAllLines(journal).Select(line => System.Text.RegularExpressions.Regex.Replace(
                line, "\"noted\":\"[^\"]*\"", $"\"noted\":\"{DateTimeOffset.UtcNow.AddMinutes(-10):O}\""));
            File.WriteAllLines(journal, [.. lines]);
        }

        var told = await Cli.DoneHereAsync(
            ["rebuild", "--data", data, "--out", versions, "--config", trained.Config, "--events", "--no-pictures", "--json"]);
        Assert.Equal(1 + 180, File.ReadLines(Path.Combine(data, "events.jsonl")).Count()); // the first says until when
        var manifest = new VersionStore(versions).List()[^1];
        Assert.Equal(told.Json.GetProperty("version").GetString(), manifest.Version);
        var now = DateTimeOffset.UtcNow;
        Assert.InRange(manifest.Description.EventsUntil!.Value, now.AddMinutes(-30), now.AddMinutes(-1));

        // The newest interaction of each user is held out to be judged by; who serves the version knows it all the same.
        await using var server = await ServeAsync(versions, "events-4.log");
        using var channel = GrpcChannel.ForAddress(server.Address);
        await UntilMoreAsync(channel, from, to, before);
    }

    private static IEnumerable<Event> Touches(string first, string from, string to, int users)
    {
        var start = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(DateTimeOffset.UtcNow.Date.AddHours(-1));
        for (int user = 0; user < users; user++)
        {
            yield return new Event { UserId = $"live {user}", ItemId = first, Time = start - Minute };
            yield return new Event { UserId = $"live {user}", ItemId = from, Time = start };
            yield return new Event
            {
                UserId = $"live {user}", ItemId = to, Time = start + Minute,
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
