using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Health.V1;
using Alpha = Grpc.Reflection.V1Alpha.ServerReflection;
using Reflection = Grpc.Reflection.V1.ServerReflection;

namespace Recsys.Integration.Tests;

/// <summary>A second client that is not ours: the official Python one, which learns the services from the server's reflection.</summary>
[Collection(WorldCollection.Name)]
public sealed class PythonClientTests(World world)
{
    private static readonly string[] Recsys =
    [
        "recsys.v1.Creative", "recsys.v1.Events", "recsys.v1.Items", "recsys.v1.Quantizer", "recsys.v1.Retrieval", "recsys.v1.Versions",
    ];

    private static Task<JsonElement>? _seen; // one run of the client, looked at by every test

    [PythonFact]
    public async Task The_official_Python_client_finds_the_services_by_reflection_and_calls_them()
    {
        var seen = await CallAsync();
        foreach (string version in new[] { "v1", "v1alpha" })
        {
            var services = seen.GetProperty("services").GetProperty(version).EnumerateArray().Select(name => name.GetString()!).ToList();
            Assert.Equal(Recsys,
                services.Where(name => name.StartsWith("recsys.", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
            Assert.Contains("grpc.health.v1.Health", services);
        }

        var expected = await new V1.Retrieval.RetrievalClient(world.Channel)
            .RecommendAsync(new V1.RecommendRequest { History = { world.ItemIds.Take(3) }, K = 7 });
        var recommended = seen.GetProperty("recommend").EnumerateArray().Single();
        Assert.Equal(expected.Items.Select(item => item.ItemId),
            recommended.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("item_id").GetString()!));

        var unknown = seen.GetProperty("unknown").EnumerateArray().Single();
        Assert.Equal(["no-such-item"], unknown.GetProperty("unknown_item_ids").EnumerateArray().Select(id => id.GetString()!));
        Assert.Equal("FALLBACK_UNKNOWN_HISTORY", unknown.GetProperty("fallback").GetString());
        Assert.Equal("INVALID_ARGUMENT", seen.GetProperty("refused").GetProperty("code").GetString());
        Assert.Contains("9000 characters", seen.GetProperty("refused").GetProperty("details").GetString(), StringComparison.Ordinal);

        var drawn = seen.GetProperty("generate").EnumerateArray().ToList();
        Assert.True(drawn[0].TryGetProperty("progress", out _));
        var images = drawn.Where(message => message.TryGetProperty("image", out _))
            .Select(message => message.GetProperty("image")).ToList();
        Assert.Equal(["11", "12"], images.Select(image => image.GetProperty("seed").GetString()!));
        Assert.All(images, image => Assert.Equal([0x89, 0x50, 0x4E, 0x47], image.GetProperty("png").GetBytesFromBase64()[..4]));
    }

    [PythonFact]
    public async Task The_official_Python_client_reads_the_health_service()
    {
        var seen = await CallAsync();
        Assert.Equal("SERVING", seen.GetProperty("health")[0].GetProperty("status").GetString());
        Assert.Equal("SERVING", seen.GetProperty("watch").GetProperty("status").GetString());
        Assert.Equal("NOT_FOUND", seen.GetProperty("health_of_nothing").GetProperty("code").GetString());
    }

    private Task<JsonElement> CallAsync() => _seen ??= ForeignClient.RunAsync(
        PythonFactAttribute.Python, [ForeignClient.Script("python", "client.py"), world.Address, .. world.ItemIds.Take(3)],
        ("PROTOCOLS", Protocols()));

    /// <summary>What a client must know before it can ask: the files of health and reflection.</summary>
    private static string Protocols()
    {
        var files = new FileDescriptorSet();
        foreach (var descriptor in new[] { Health.Descriptor.File, Reflection.Descriptor.File, Alpha.Descriptor.File })
        {
            files.File.Add(FileDescriptorProto.Parser.ParseFrom(descriptor.SerializedData));
        }

        return files.ToByteString().ToBase64();
    }
}
