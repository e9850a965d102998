using Recsys.Catalog;

namespace Recsys.Store.Tests;

/// <summary>Small random item tables with collisions.</summary>
internal static class Tables
{
    public static readonly int[] Sizes = [4, 300, 5];

    public static ItemTable Random(int count, int seed)
    {
        var random = new Random(seed);
        var next = new Dictionary<SemanticId, ushort>();
        var ids = new List<SemanticId>();
        for (int item = 0; item < count; item++)
        {
            var codes = new SemanticId([(ushort)random.Next(4), (ushort)(random.Next(6) * 59), (ushort)random.Next(5)]);
            ushort token = next.GetValueOrDefault(codes);
            next[codes] = (ushort)(token + 1);
            ids.Add(codes.WithCollision(token));
        }

        return new ItemTable(
            [.. Enumerable.Range(0, count).Select(item => $"item {item}")], ids,
            [.. Enumerable.Range(0, count).Select(item => item % 3 == 0 ? "" : $"Title {item}")], Sizes);
    }

    public static SemanticId Id(string text) => SemanticId.Parse(text);
}
