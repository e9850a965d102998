using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Recsys.Catalog;

namespace Recsys.Store.Redis;

/// <summary>What the published marker says: <c>count levels-sizes sha256</c>, for example <c>12101 256/256/256 9f86…</c>.</summary>
internal sealed record PublishedMarker(int Count, string Sizes, string Sha256)
{
    // IDs of so many levels or fewer are hashed at that width: markers that were published before keep their hash.
    private const int FormerMaxLevels = 6;

    public static PublishedMarker Of(ItemTable items)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> id = stackalloc byte[2 * (Math.Max(FormerMaxLevels, items.Levels) + 2)];
        for (int item = 0; item < items.Count; item++)
        {
            byte[] name = Encoding.UTF8.GetBytes(items.Ids[item]);
            var semanticId = items.SemanticIds[item];
            BinaryPrimitives.WriteUInt16LittleEndian(id, semanticId.Collision);
            for (int level = 0; level < semanticId.Levels; level++)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(id[(2 + (2 * level))..], semanticId[level]);
            }

            BinaryPrimitives.WriteUInt16LittleEndian(id[^2..], (ushort)name.Length);
            sha.AppendData(id);
            sha.AppendData(name);
        }

        return new PublishedMarker(items.Count, string.Join('/', items.CodebookSizes), Convert.ToHexStringLower(sha.GetHashAndReset()));
    }

    public static PublishedMarker? TryParse(string? text)
    {
        return text?.Split(' ') is [var count, var sizes, var sha]
            && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int items)
                ? new PublishedMarker(items, sizes, sha)
                : null;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Count} {Sizes} {Sha256}");
}
