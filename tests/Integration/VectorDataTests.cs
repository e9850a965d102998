using Grpc.Net.Client;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;
using Recsys.Client;
using Recsys.Client.VectorData;
using Recsys.V1;

namespace Recsys.Integration.Tests;

/// <summary>Items as a collection of Microsoft.Extensions.VectorData, of the real server.</summary>
[Collection(WorldCollection.Name)]
public sealed class VectorDataTests(World world) : IDisposable
{
    private readonly RecsysClient _client = new(new RecsysClientOptions { Address = world.Address, Deadline = TimeSpan.FromSeconds(60) });

    private ItemCollection<Product> Items => new(_client);

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task A_new_record_is_read_again_and_found_by_its_vector()
    {
        await Items.EnsureCollectionExistsAsync();
        Assert.True(await Items.CollectionExistsAsync());
        var brought = new Product
        {
            Id = "vector-data", Name = "Brought", Price = 12.5, Left = 3, Since = new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero),
            Text = BadInputTests.Unit(384).Values.ToArray(),
        };
        Assert.Null(await Items.GetAsync("vector-data"));
        await Items.UpsertAsync([brought, new Product { Id = world.ItemIds[0], Price = 1 }]);
        using var channel = GrpcChannel.ForAddress(world.Address);
        await SwapTests.UntilKnownAsync(new V1.Retrieval.RetrievalClient(channel), "vector-data");
        var read = await Items.GetAsync("vector-data", new RecordRetrievalOptions { IncludeVectors = true });
        for (int tries = 0; read?.Price is null && tries < 200; tries++)
        {
            await Task.Delay(50); // values follow a moment after the item
            read = await Items.GetAsync("vector-data", new RecordRetrievalOptions { IncludeVectors = true });
        }

        Assert.Equal(
            (brought.Id, brought.Name, brought.Price, brought.Left, brought.Since, (bool?)null, 384),
            (read!.Id, read.Name, read.Price, read.Left, read.Since, read.Gift, read.Text.Length));
        Assert.Equal(0, (await Items.GetAsync("vector-data"))!.Text.Length);

        // What its semantic ID stands for is what is nearest to itself.
        var near = await Items.SearchAsync(read.Text, 5).ToListAsync();
        Assert.Equal(5, near.Count);
        Assert.Contains("vector-data", near.Select(result => result.Record.Id));
        Assert.Equal(near.Select(result => result.Score).Order(), near.Select(result => result.Score));
        var options = new VectorSearchOptions<Product> { Skip = 2, VectorProperty = product => product.Text, IncludeVectors = true };
        var later = await Items.SearchAsync(new Embedding<float>(read.Text), 3, options).ToListAsync();
        Assert.Equal(near.Skip(2).Select(result => result.Record.Id), later.Select(result => result.Record.Id));
        Assert.All(later, result => Assert.Equal(384, result.Record.Text.Length));
        var close = new VectorSearchOptions<Product> { ScoreThreshold = near[2].Score };
        Assert.All(
            await Items.SearchAsync(read.Text.ToArray(), 5, close).ToListAsync(), result => Assert.True(result.Score <= near[2].Score));

        string[] asked = [world.ItemIds[3], "nobody", world.ItemIds[1], world.ItemIds[3]];
        var several = await Items.GetAsync(asked).ToListAsync();
        Assert.Equal([world.ItemIds[3], world.ItemIds[1], world.ItemIds[3]], several.Select(product => product.Id));
    }

    [Fact]
    public async Task What_cannot_be_says_what_to_do_instead()
    {
        var error = await Assert.ThrowsAsync<VectorStoreException>(() => new ItemCollection<Misfit>(_client).EnsureCollectionExistsAsync());
        Assert.Contains("'Text' of 3 values", error.Message, StringComparison.Ordinal);
        Assert.Contains("text (384 values)", error.Message, StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<VectorStoreException>(() => Items.SearchAsync(new float[3], 1).ToListAsync().AsTask());
        Assert.Equal(("recsys", "items", "Search"), (error.VectorStoreSystemName, error.CollectionName, error.OperationName));
        Assert.Contains("InvalidArgument", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Items.SearchAsync(new float[384], 1001).ToListAsync().AsTask());
        await Assert.ThrowsAsync<NotSupportedException>(() => Items.SearchAsync("a text", 1).ToListAsync().AsTask());
        var filtered = new VectorSearchOptions<Product> { Filter = product => product.Price > 1 };
        await Assert.ThrowsAsync<NotSupportedException>(() => Items.SearchAsync(new float[384], 1, filtered).ToListAsync().AsTask());
        Assert.Throws<NotSupportedException>(() => Items.GetAsync(product => product.Price > 1, 3));
        await Assert.ThrowsAsync<NotSupportedException>(() => Items.DeleteAsync("x"));
        await Assert.ThrowsAsync<NotSupportedException>(() => Items.EnsureCollectionDeletedAsync());
        error = await Assert.ThrowsAsync<VectorStoreException>(() => Items.UpsertAsync(new Product { Id = "nowhere", Price = 2 }));
        Assert.Contains("nowhere", error.Message, StringComparison.Ordinal);
        await _client.Items.UpsertAsync(new UpsertItemsRequest
        {
            Items = { new ItemUpsert { ItemId = world.ItemIds[2], Attributes = { ["stock_left"] = "3000000000" } } },
        });
        await Task.Delay(1000);
        Assert.Equal(0, (await Items.GetAsync(world.ItemIds[2]))!.Left); // no int
        Assert.Throws<ArgumentException>(() => new ItemCollection<Cosine>(_client));
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Items.GetAsync("x", cancellationToken: cancelled.Token));
        await Assert.ThrowsAsync<ArgumentException>(() => Items.UpsertAsync(new Product()));
        Assert.Throws<ArgumentException>(() => new ItemCollection<object>(_client));
        using var nobody = new RecsysClient(new RecsysClientOptions { Address = "http://127.0.0.1:1", Attempts = 1 });
        error = await Assert.ThrowsAsync<VectorStoreException>(() => new ItemCollection<Product>(nobody).GetAsync("x"));
        Assert.Equal("Get", error.OperationName);
    }

    private sealed class Product
    {
        [VectorStoreKey]
        public string Id { get; set; } = "";

        [VectorStoreData(StorageName = "title")]
        public string? Name { get; set; }

        [VectorStoreData(StorageName = "price_paid")]
        public double? Price { get; set; }

        [VectorStoreData(StorageName = "stock_left")]
        public int Left { get; set; }

        [VectorStoreData(StorageName = "since")]
        public DateTimeOffset? Since { get; set; }

        [VectorStoreData(StorageName = "gift")]
        public bool? Gift { get; set; }

        [VectorStoreVector(384, StorageName = "text")]
        public ReadOnlyMemory<float> Text { get; set; }
    }

    private sealed class Cosine
    {
        [VectorStoreKey]
        public string Id { get; set; } = "";

        [VectorStoreVector(384, DistanceFunction = DistanceFunction.CosineSimilarity)]
        public ReadOnlyMemory<float> Text { get; set; }
    }

    private sealed class Misfit
    {
        [VectorStoreKey]
        public string Id { get; set; } = "";

        [VectorStoreVector(3)]
        public ReadOnlyMemory<float> Text { get; set; }
    }
}
