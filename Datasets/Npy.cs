using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Recsys.Files;

namespace Recsys.Datasets;

/// <summary>Writes .npy files of float32 matrices; <see cref="NpyReader"/> reads them.</summary>
public static class Npy
{
    /// <summary>Writes a float32 matrix a row at a time, atomically.</summary>
    /// <param name="rows">[count] rows of <paramref name="dim"/> values.</param>
    public static void Write(string path, IEnumerable<ReadOnlyMemory<float>> rows, int count, int dim) => AtomicFile.Write(path, stream =>
    {
        stream.Write(Header(count, dim));
        foreach (var row in rows)
        {
            stream.Write(MemoryMarshal.AsBytes(row.Span));
        }
    });

    // Format version 1.0, padded so that the data starts at a multiple of 64 bytes, as numpy does.
    private static byte[] Header(int rows, int dim)
    {
        string text = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dim}), }}";
        int length = (((10 + text.Length + 1) + 63) / 64 * 64) - 10;
        var header = new byte[10 + length];
        header.AsSpan().Fill((byte)' ');
        (header[0], header[6], header[7], header[^1]) = (0x93, 1, 0, (byte)'\n');
        "NUMPY"u8.CopyTo(header.AsSpan(1));
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), (ushort)length);
        Encoding.ASCII.GetBytes(text, header.AsSpan(10));
        return header;
    }
}
