using System.Text;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Store.Redis;
using StackExchange.Redis;

namespace Recsys.Store.Tests;

/// <summary>Ids are texts. The Redis client compares its values as numbers where they look like numbers, so that "7" equals "07" and
/// two ids of 21 digits are one double: none of that may reach an item.</summary>
public sealed class IdentityTests(RedisFixture fixture) : IClassFixture<RedisFixture>
{
    private static readonly CancellationToken Cancel = CancellationToken.None;

    private static readonly string[] Alike =
    [
        "7", "07", "7.0", " 7", "7 ", "+7", "7e0", "100000000000000000001", "100000000000000000002", "-0", "0",
        "a,b", "a", "@a", "A", "é", "e\u0301",
    ];

    private readonly string _version = $"v-{Guid.NewGuid():N}";
    private readonly RedisSemanticIdStore _store = fixture.Store;

    [RedisFact]
    public async Task Ids_that_are_one_number_are_items_of_their_own_when_published()
    {
        SemanticId[] ids = [.. Alike.Select((_, i) => new SemanticId([1, (ushort)(i % 2), 2], (ushort)(i / 2)))];
        var items = new ItemTable(Alike, ids, [.. Alike.Select(id => $"title {id}")], Tables.Sizes);
        await _store.PublishAsync(_version, items, Cancel);
        for (int i = 0; i < Alike.Length; i++)
        {
            Assert.Equal(items.SemanticIds[i], await _store.FindAsync(_version, Alike[i], Cancel));
        }

        var found = await _store.ItemsAsync(_version, new ushort[] { 1 }, 100, Cancel);
        Assert.Equal(Alike.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [RedisFact]
    public async Task Ids_that_are_one_number_get_an_ID_each_when_assigned_and_keep_it()
    {
        await _store.PublishAsync(_version, Tables.Random(3, 1), Cancel);
        var given = new Dictionary<string, SemanticId>(StringComparer.Ordinal);
        foreach (string id in Alike)
        {
            var assigned = await _store.AssignAsync(_version, id, $"title {id}", new ushort[] { 3, 7, 1 }, default, Cancel);
            Assert.False(assigned.Existing, $"'{id}' was taken for another item");
            given.Add(id, assigned.Id);
        }

        Assert.Equal(Alike.Length, given.Values.Distinct().Count());
        foreach (string id in Alike)
        {
            Assert.Equal(
                new Assignment(given[id], Existing: true),
                await _store.AssignAsync(_version, id, "", new ushort[] { 3, 7, 1 }, default, Cancel));
            Assert.Equal(given[id], await _store.FindAsync(_version, id, Cancel));
        }
    }

    [Theory]
    [InlineData("20261128T030000-1")]
    [InlineData("v")]
    [InlineData("a.b_c-d")]
    public void All_keys_of_a_version_lie_in_one_slot_of_a_cluster(string version)
    {
        Assert.Equal(0x31C3 % 16384, Slot("123456789")); // the check value of CRC-16/XMODEM
        var (keys, layout) = (new VersionKeys("recsys:", version), new TableLayout(2, 3, [8]));
        RedisKey[] all =
        [
            keys.Layout, keys.Appended, keys.Published, .. keys.Former,
            .. keys.HashesOf(layout).Concat(keys.SetsOf(layout)).SelectMany(some => some),
        ];
        Assert.Equal(5 + 4 + 8, all.Distinct().Count());
        var slots = all.Select(key => Slot(key.ToString())).Distinct();
        Assert.Equal([Slot(version)], slots);
    }

    /// <summary>By the cluster specification: CRC16 of what stands in the first pair of braces, or of the whole key.</summary>
    private static int Slot(string key)
    {
        int open = key.IndexOf('{'), close = open < 0 ? -1 : key.IndexOf('}', open);
        int crc = 0;
        foreach (byte letter in Encoding.UTF8.GetBytes(close > open + 1 ? key[(open + 1)..close] : key))
        {
            crc ^= letter << 8;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = ((crc << 1) ^ ((crc & 0x8000) == 0 ? 0 : 0x1021)) & 0xFFFF;
            }
        }

        return crc % 16384;
    }
}
