using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Recsys.Catalog;

namespace Recsys.Datasets;

/// <summary>
/// A two-dimensional .npy file (versions 1 to 3; little-endian float16, float32 or float64; C order), a row at a time. The header is not
/// trusted: its size is capped, and shape × element size must equal the file's length.
/// </summary>
public sealed partial class NpyReader : IDisposable
{
    private const int MaxHeader = 1 << 16;

    private readonly FileStream _file;
    private readonly long _start;
    private readonly int _width;

    private NpyReader(FileStream file, long start, int width, int rows, int dim) =>
        (_file, _start, _width, Rows, Dim) = (file, start, width, rows, dim);

    public int Rows { get; }

    public int Dim { get; }

    /// <exception cref="CatalogException">NotFound; InvalidArgument for another format; DataLoss for a truncated file.</exception>
    public static NpyReader Open(string path)
    {
        if (!File.Exists(path))
        {
            throw CatalogException.NotFound($"Embedding file '{path}' does not exist.");
        }

        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        try
        {
            long length = file.Length;
            Span<byte> prefix = stackalloc byte[12];
            int got = file.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false);
            if (got < 10 || prefix[0] != 0x93 || !prefix[1..6].SequenceEqual("NUMPY"u8))
            {
                throw CatalogException.Invalid($"'{path}' is no .npy file: it does not start with \\x93NUMPY. Write it with numpy.save.");
            }

            int major = prefix[6];
            int fixedPart = major == 1 ? 10 : 12;
            long header = major == 1
                ? BinaryPrimitives.ReadUInt16LittleEndian(prefix[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(prefix[8..]);
            if (major is < 1 or > 3 || header > MaxHeader || fixedPart + header > length)
            {
                throw CatalogException.Invalid(
                    $"'{path}': .npy version {major} with a header of {header} bytes in a file of {length}; allowed: versions 1 to 3, "
                    + $"at most {MaxHeader} bytes.");
            }

            var bytes = new byte[header];
            file.Position = fixedPart;
            file.ReadExactly(bytes);
            var (width, rows, dim) = ParseHeader(Encoding.Latin1.GetString(bytes), path);
            long expected = fixedPart + header + ((long)rows * dim * width);
            if (length != expected)
            {
                throw CatalogException.Damaged(
                    $"'{path}' has {length} bytes; its header says {rows} rows of {dim} values of {width} bytes, which makes "
                    + $"{expected}. The file is {(length < expected ? "truncated" : "followed by something else")}: copy it again.");
            }

            return new NpyReader(file, fixedPart + header, width, rows, dim);
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

    /// <summary>The rows in their order, as float32; the memory is reused from row to row.</summary>
    /// <exception cref="CatalogException">DataLoss: somebody truncated the file meanwhile.</exception>
    public IEnumerable<ReadOnlyMemory<float>> ReadRows()
    {
        var (row, bytes) = (new float[Dim], new byte[Dim * _width]);
        _file.Position = _start;
        for (int index = 0; index < Rows; index++)
        {
            if (_file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            {
                throw CatalogException.Damaged($"'{_file.Name}' ended in row {index} while it was read; somebody truncated it.");
            }

            Convert(bytes, row);
            yield return row;
        }
    }

    private static void Convert(byte[] bytes, float[] row)
    {
        int width = bytes.Length / row.Length;
        for (int at = 0; at < row.Length; at++)
        {
            row[at] = width switch
            {
                2 => (float)BitConverter.ToHalf(bytes, at * width),
                4 => BitConverter.ToSingle(bytes, at * width),
                _ => (float)BitConverter.ToDouble(bytes, at * width),
            };
        }
    }

    public void Dispose() => _file.Dispose();

    [GeneratedRegex(
        @"^\s*\{(?=.*'descr':\s*'(?<descr>[^']*)')"
        + @"(?=.*'fortran_order':\s*(?<fortran>True|False))(?=.*'shape':\s*\((?<shape>[^)]*)\)).*\}\s*$", RegexOptions.Singleline)]
    private static partial Regex HeaderPattern();
}
