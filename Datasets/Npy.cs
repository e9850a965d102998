using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Recsys.Catalog;
using Recsys.Files;

namespace Recsys.Datasets;

/// <summary>Whole .npy files of float matrices.</summary>
public static class Npy
{
    /// <summary>The whole matrix as float32.</summary>
    /// <returns>Data [rows × dim], row-major.</returns>
    /// <exception cref="CatalogException">As <see cref="NpyReader.Open"/>; ResourceExhausted beyond 2^31 values.</exception>
    public static (float[] Data, int Rows, int Dim) Read(string path)
    {
        using var reader = NpyReader.Open(path);
        if ((long)reader.Rows * reader.Dim > Array.MaxLength)
        {
            throw new CatalogException(
                Fault.ResourceExhausted,
                $"'{path}' has {reader.Rows} × {reader.Dim} values; at most {Array.MaxLength} fit into one array. Read it in chunks "
                + "(NpyReader).");
        }

        var data = new float[(long)reader.Rows * reader.Dim];
        reader.ReadRows(0, data);
        return (data, reader.Rows, reader.Dim);
    }

    /// <summary>Writes a float32 matrix, atomically.</summary>
    /// <param name="path">The file.</param>
    /// <param name="data">[rows × dim], row-major.</param>
    /// <param name="dim">Values a row.</param>
    public static void Write(string path, ReadOnlyMemory<float> data, int dim)
    {
        if (dim < 1 || data.Length % dim != 0)
        {
            throw CatalogException.Invalid($"{data.Length} values are no rows of {dim}.");
        }

        Write(path, Enumerable.Range(0, data.Length / dim).Select(row => data.Slice(row * dim, dim)), data.Length / dim, dim);
    }

    /// <summary>Writes a float32 matrix a row at a time, atomically.</summary>
    /// <param name="rows">[count] rows of <paramref name="dim"/> values.</param>
    internal static void Write(string path, IEnumerable<ReadOnlyMemory<float>> rows, int count, int dim) => AtomicFile.Write(path, stream =>
    {
        stream.Write(Header(count, dim));
        Span<byte> value = stackalloc byte[4];
        foreach (var row in rows)
        {
            if (BitConverter.IsLittleEndian)
            {
                stream.Write(MemoryMarshal.AsBytes(row.Span));
                continue;
            }

            foreach (float number in row.Span)
            {
                BinaryPrimitives.WriteSingleLittleEndian(value, number);
                stream.Write(value);
            }
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
