using System.Buffers.Binary;
using Recsys.Catalog;

namespace Recsys.Store;

/// <summary>Vectors as bytes: float32, little-endian.</summary>
internal static class VectorBytes
{
    public static byte[] Of(ReadOnlyMemory<float> vector)
    {
        var bytes = new byte[vector.Length * sizeof(float)];
        for (int i = 0; i < vector.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector.Span[i]);
        }

        return bytes;
    }

    /// <param name="bytes">Null: none.</param>
    /// <exception cref="CatalogException">DataLoss: they are no vector.</exception>
    public static ReadOnlyMemory<float> Read(byte[]? bytes)
    {
        if (bytes is not { Length: > 0 })
        {
            return default;
        }

        var vector = new float[bytes.Length / sizeof(float)];
        for (int i = 0; i < vector.Length; i++)
        {
            vector[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * sizeof(float)));
        }

        return bytes.Length % sizeof(float) == 0 && vector.All(float.IsFinite)
            ? vector
            : throw CatalogException.Damaged($"{bytes.Length} bytes of an appended item's vector are not finite float32 values.");
    }
}
