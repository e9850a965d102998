namespace Recsys.Imaging;

/// <summary>
/// Where decoded rows go: pixel (x, y), channel c of the stored picture belongs at Origin + x·StepX + y·StepY + c·StepChannel of the
/// target. Orientation, layout and place inside the target are all in these four numbers, so that each value is written once.
/// </summary>
internal readonly unsafe struct PixelSink
{
    private readonly byte* _bytes;
    private readonly float* _floats;
    private readonly float* _table;

    private PixelSink(byte* bytes, float* floats, float* table, long origin, long stepX, long stepY, long stepChannel)
    {
        _bytes = bytes;
        _floats = floats;
        _table = table;
        (Origin, StepX, StepY, StepChannel) = (origin, stepX, stepY, stepChannel);
    }

    public long Origin { get; }

    public long StepX { get; }

    public long StepY { get; }

    public long StepChannel { get; }

    /// <param name="bytes">Target of bytes; null for one of floats.</param>
    /// <param name="table">[256] the float for each byte.</param>
    /// <param name="frame">Sides of the target.</param>
    /// <param name="width">Of the stored picture.</param>
    /// <param name="orientation">EXIF orientation, 1 to 8; it turns the stored picture, which then lies in the middle of the frame.</param>
    public static PixelSink Into(byte* bytes, float* floats, float* table, BatchLayout layout, (int Width, int Height) frame, int width, int height, int orientation)
    {
        long channel = layout == BatchLayout.Nchw ? (long)frame.Width * frame.Height : 1;
        long right = layout == BatchLayout.Nchw ? 1 : 3, down = right * frame.Width;
        bool sideways = orientation >= 5;
        int left = (frame.Width - (sideways ? height : width)) / 2, top = (frame.Height - (sideways ? width : height)) / 2;
        bool columnsBack = ColumnsBack(orientation), rowsBack = RowsBack(orientation);
        long alongX = sideways ? down : right, alongY = sideways ? right : down;
        long origin = (left * right) + (top * down) + (columnsBack ? (width - 1) * alongX : 0) + (rowsBack ? (height - 1) * alongY : 0);
        return new PixelSink(bytes, floats, table, origin, columnsBack ? -alongX : alongX, rowsBack ? -alongY : alongY, channel);
    }

    /// <summary>Whether stored columns run from the right or from below (EXIF, CIPA DC-008, tag 0x0112).</summary>
    public static bool ColumnsBack(int orientation) => orientation is 2 or 3 or 7 or 8;

    /// <summary>Whether stored rows run from below or from the right.</summary>
    public static bool RowsBack(int orientation) => orientation is 3 or 4 or 6 or 7;

    /// <summary>Rows of interleaved RGB, the first of them row <paramref name="top"/> of the picture.</summary>
    public void Write(byte* rgb, int top, int rows, int width)
    {
        for (int y = top; y < top + rows; y++)
        {
            long at = Origin + (y * StepY);
            if (_bytes != null && StepX == 3 && StepChannel == 1)
            {
                Buffer.MemoryCopy(rgb, _bytes + at, 3L * width, 3L * width);
                rgb += 3L * width;
                continue;
            }

            for (int x = 0; x < width; x++, at += StepX, rgb += 3)
            {
                if (_bytes != null)
                {
                    (_bytes[at], _bytes[at + StepChannel], _bytes[at + (2 * StepChannel)]) = (rgb[0], rgb[1], rgb[2]);
                }
                else
                {
                    (_floats[at], _floats[at + StepChannel], _floats[at + (2 * StepChannel)]) = (_table[rgb[0]], _table[rgb[1]], _table[rgb[2]]);
                }
            }
        }
    }
}
