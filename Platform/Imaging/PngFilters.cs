using System.IO.Compression;

namespace Recsys.Imaging;

/// <summary>
/// Filters and deflates the rows of a PNG. Each row takes the filter (section 9) whose output, read as signed bytes, has the smallest
/// sum of magnitudes: the heuristic that the specification recommends (section 12.7).
/// </summary>
internal static class PngFilters
{
    private const int Filters = 5; // None, Sub, Up, Average, Paeth

    /// <returns>The zlib stream of an IDAT chunk.</returns>
    public static byte[] Compress(Picture picture, CompressionLevel level)
    {
        int row = 3 * picture.Width;
        var filtered = new byte[Filters][];
        for (int filter = 0; filter < Filters; filter++)
        {
            filtered[filter] = new byte[row + 1];
            filtered[filter][0] = (byte)filter;
        }

        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, level, leaveOpen: true))
        {
            var above = new byte[row];
            for (int y = 0; y < picture.Height; y++)
            {
                var line = picture.Rgb.AsSpan(y * row, row);
                zlib.Write(Best(line, above, filtered));
                line.CopyTo(above);
            }
        }

        return packed.ToArray();
    }

    private static byte[] Best(ReadOnlySpan<byte> line, ReadOnlySpan<byte> above, byte[][] filtered)
    {
        Span<long> cost = stackalloc long[Filters];
        cost.Clear();
        Span<byte> value = stackalloc byte[Filters];
        for (int at = 0; at < line.Length; at++)
        {
            byte left = at < 3 ? (byte)0 : line[at - 3], up = above[at], corner = at < 3 ? (byte)0 : above[at - 3];
            value[0] = line[at];
            value[1] = (byte)(line[at] - left);
            value[2] = (byte)(line[at] - up);
            value[3] = (byte)(line[at] - ((left + up) / 2));
            value[4] = (byte)(line[at] - Paeth(left, up, corner));
            for (int filter = 0; filter < Filters; filter++)
            {
                filtered[filter][at + 1] = value[filter];
                cost[filter] += Math.Abs((int)(sbyte)value[filter]);
            }
        }

        int best = 0;
        for (int filter = 1; filter < Filters; filter++)
        {
            best = cost[filter] < cost[best] ? filter : best;
        }

        return filtered[best];
    }

    private static byte Paeth(byte left, byte up, byte corner)
    {
        int estimate = left + up - corner;
        int toLeft = Math.Abs(estimate - left), toUp = Math.Abs(estimate - up), toCorner = Math.Abs(estimate - corner);
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }
}
