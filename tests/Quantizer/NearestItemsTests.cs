using Recsys.Catalog;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Service;
using Recsys.Quantizer.Training;
using Recsys.V1;

namespace Recsys.Quantizer.Tests;

public sealed class NearestItemsTests : IDisposable
{
    private readonly EmbeddingMatrix _text = Blobs.Make("text", 60, 4, 12, 1);
    private readonly Codebook _codebook;
    private readonly ItemTable _items;
    private readonly QuantizerService _service;

    public NearestItemsTests()
    {
        var fused = Blobs.Fuse(_text);
        _codebook = QuantizerTrainer.Train(fused, new QuantizerOptions { Levels = 2, CodebookSize = 8 }, 1, null, default);
        _items = new ItemTable(
            [.. Enumerable.Range(0, 60).Select(i => $"item{i}")], _codebook.EncodeCatalogue(fused).Ids, [.. Enumerable.Repeat("", 60)],
            _codebook.Sizes);
        _service = new QuantizerService(new FakeSnapshots("v1", _items, _codebook), new FakeStore(), new FakeVersions());
    }

    public void Dispose() => _codebook.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(1000)]
    public async Task The_nearest_items_are_those_whose_reconstructions_are(int k)
    {
        var answer = await _service.Nearest(
            new NearestRequest { K = (uint)k, Embeddings = { ["text"] = new Vector { Values = { _text.Row(17).ToArray() } } } },
            new FakeCall());
        var encoded = (await _service.Encode(new EncodeRequest { Items = { Vector("x", 17) } }, new FakeCall())).Items[0];
        var expected = new List<(string Id, double Distance)>();
        float[] asked = _codebook.Fusion.Fuse("x", [KeyValuePair.Create("text", new ReadOnlyMemory<float>(_text.Row(17).ToArray()))]);
        for (int item = 0; item < _items.Count; item++)
        {
            float[] there = _codebook.Reconstruct(_items.SemanticIds[item].Codes(), 1);
            expected.Add((_items.Ids[item], asked.Zip(there, (a, b) => ((double)a - b) * ((double)a - b)).Average()));
        }

        Assert.Equal(
            expected.OrderBy(item => item.Distance).Take(k == 0 ? 10 : k).Select(item => item.Id),
            answer.Items.Select(item => item.ItemId));
        Assert.Equal(expected.Min(item => item.Distance), answer.Items[0].Distance, 1e-9);
        Assert.Equal(encoded.ReconstructionError, answer.Items[0].Distance, 1e-9); // its own code is the nearest
        await Assert.ThrowsAsync<CatalogException>(() => _service.Nearest(new NearestRequest { K = 5 }, new FakeCall()));
        await Assert.ThrowsAsync<CatalogException>(() => _service.Nearest(new NearestRequest { K = 1001 }, new FakeCall()));
    }

    private ItemEmbedding Vector(string id, int row) =>
        new() { ItemId = id, Embeddings = { ["text"] = new Vector { Values = { _text.Row(row).ToArray() } } } };
}
