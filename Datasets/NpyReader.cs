using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Win32.SafeHandles;
using Recsys.Catalog;

namespace Recsys.Datasets;

/// <summary>
/// Rows of a two-dimensional .npy file (versions 1 to 3; little-endian float16, float32 or float64; C order), any part at a time.
/// The header is not trusted: its size is capped, and shape × element size must equal the file's length. Safe from any thread.
/// </summary>
public sealed partial class NpyReader : IDisposable
{
    private const int MaxHeader = 1 << 16;

    private readonly SafeFileHandle _file;
    private readonly long _start;
    private readonly int _width;
    private readonly string _path;

    private NpyReader(SafeFileHandle file, string path, long start, int width, int rows, int dim) =>
        (_file, _path, _start, _width, Rows, Dim) = (file, path, start, width, rows, dim);

    public int Rows { get; }

    public int Dim { get; }

    /// <exception cref="CatalogException">NotFound; InvalidArgument for another format; DataLoss for a truncated file.</exception>
    public static NpyReader Open(string path)
    {
        if (!File.Exists(path))
        {
            throw CatalogException.NotFound($"Embedding file '{path}' does not exist.");
        }

        var file = File.OpenHandle(path);
        try
        {
            long length = RandomAccess.GetLength(file);
            Span<byte> prefix = stackalloc byte[12];
            int got = RandomAccess.Read(file, prefix, 0);
            if (got < 10 || prefix[0] != 0x93 || !prefix[1..6].SequenceEqual("NUMPY"u8))
            {
                throw CatalogException.Invalid($"'{path}' is no .npy file: it does not start with \\x93NUMPY. Write it with numpy.save.");
            }

            int major = prefix[6];
            int fixedPart = major == 1 ? 10 : 12;
            long header = major == 1
                ? BinaryPrimitives.ReadUInt16LittleEndian(prefix[8..])
                : got < 12 ? long.MaxValue
                : BinaryPrimitives.ReadUInt32LittleEndian(prefix[8..]);
            if (major is < 1 or > 3 || header > MaxHeader || fixedPart + header > length)
            {
                throw CatalogException.Invalid(
                    $"'{path}': .npy version {major} with a header of {header} bytes in a file of {length}; allowed: versions 1 to 3, "
                    + $"at most {MaxHeader} bytes.");
            }

            var bytes = new byte[header];
            RandomAccess.Read(file, bytes, fixedPart);
            var (width, rows, dim) = ParseHeader(Encoding.Latin1.GetString(bytes), path);
            long expected = fixedPart + header + ((long)rows * dim * width);
            if (length != expected)
            {
                throw CatalogException.Damaged(
                    $"'{path}' has {length} bytes; its header says {rows} rows of {dim} values of {width} bytes, which makes "
                    + $"{expected}. The file is {(length < expected ? "truncated" : "followed by something else")}: copy it again.");
            }

            return new NpyReader(file, path, fixedPart + header, width, rows, dim);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static (int Width, int Rows, int Dim) ParseHeader(string header, string path)
    {
        var match = HeaderPattern().Match(header);
        if (!match.Success)
        {
            throw CatalogException.Invalid(
                $"'{path}': the .npy header '{header.Trim()}' is not understood; allowed: one array with descr, fortran_order and shape.");
        }

        string type = match.Groups["descr"].Value, shape = match.Groups["shape"].Value;
        int width = type switch { "<f4" => 4, "<f8" => 8, "<f2" => 2, _ => 0 };
        var sizes = shape.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var faults = new Faults(path);
        if (width == 0)
        {
            faults.Add($"descr is '{type}'; allowed: <f4, <f8, <f2 (use array.astype('float32'))");
        }

        if (match.Groups["fortran"].Value != "False")
        {
            faults.Add("fortran_order is True; allowed: False (use numpy.ascontiguousarray)");
        }

        int rows = 0, dim = 0;
        if (sizes.Length != 2
            || !int.TryParse(sizes[0], NumberStyles.None, CultureInfo.InvariantCulture, out rows)
            || !int.TryParse(sizes[1], NumberStyles.None, CultureInfo.InvariantCulture, out dim)
            || dim is < 1 or > 1 << 20)
        {
            faults.Add($"shape is ({shape}); allowed: (rows, dim) with dim from 1 to {1 << 20}");
        }

        faults.ThrowIfAny();
        return (width, rows, dim);
    }

    /// <summary>Reads as many whole rows as fit into <paramref name="target"/>.</summary>
    /// <param name="first">Index of the first row.</param>
    /// <param name="target">[rows × Dim]; its length a multiple of <see cref="Dim"/>.</param>
    public void ReadRows(long first, Span<float> target)
    {
        if (target.Length % Dim != 0 || first < 0 || first + (target.Length / Dim) > Rows)
        {
            throw CatalogException.Invalid(
                $"Rows {first} to {first + (target.Length / (double)Dim)} of '{_path}', which has {Rows} rows of {Dim}.");
        }

        long at = _start + (first * Dim * _width);
        if (_width == 4 && BitConverter.IsLittleEndian)
        {
            Fill(MemoryMarshal.AsBytes(target), at);
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            for (int done = 0; done < target.Length;)
            {
                int count = Math.Min(target.Length - done, (1 << 16) / _width);
                Fill(buffer.AsSpan(0, count * _width), at + ((long)done * _width));
                for (int i = 0; i < count; i++)
                {
                    var bytes = buffer.AsSpan(i * _width);
                    target[done + i] = _width switch
                    {
                        2 => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes),
                        4 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
                        _ => (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes),
                    };
                }

                done += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>All rows, at most <paramref name="rowsAtOnce"/> at a time; the memory is reused from chunk to chunk.</summary>
    public IEnumerable<(int First, ReadOnlyMemory<float> Values)> Chunks(int rowsAtOnce = 4096)
    {
        var buffer = new float[(long)Math.Min(rowsAtOnce, Math.Max(Rows, 1)) * Dim];
        int step = buffer.Length / Dim;
        for (int first = 0; first < Rows; first += step)
        {
            var chunk = buffer.AsMemory(0, Math.Min(step, Rows - first) * Dim);
            ReadRows(first, chunk.Span);
            yield return (first, chunk);
        }
    }

    private void Fill(Span<byte> target, long at)
    {
        while (target.Length > 0)
        {
            int got = RandomAccess.Read(_file, target, at);
            if (got == 0)
            {
                throw CatalogException.Damaged($"'{_path}' ended at byte {at} while it was read; somebody truncated it.");
            }

            target = target[got..];
            at += got;
        }
    }

    public void Dispose() => _file.Dispose();

    [GeneratedRegex(
        @"^\s*\{(?=.*'descr':\s*'(?<descr>[^']*)')"
        + @"(?=.*'fortran_order':\s*(?<fortran>True|False))(?=.*'shape':\s*\((?<shape>[^)]*)\)).*\}\s*$", RegexOptions.Singleline)]
    private static partial Regex HeaderPattern();
}
