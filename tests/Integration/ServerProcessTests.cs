namespace Recsys.Integration.Tests;

/// <summary>The server as the operating system sees it.</summary>
[Collection(WorldCollection.Name)]
public sealed class ServerProcessTests(World world)
{
    /// <summary>FAISS and our kernels share libtorch's threads, or each pool would take all cores.</summary>
    [Fact]
    public async Task A_server_has_one_pool_of_OpenMP_threads()
    {
        var libraries = (await File.ReadAllLinesAsync($"/proc/{world.ServerId}/maps")).Select(line => line.Split(' ')[^1]);
        Assert.Single(libraries.Where(path => Path.GetFileName(path).StartsWith("libgomp", StringComparison.Ordinal)).Distinct());
    }
}
