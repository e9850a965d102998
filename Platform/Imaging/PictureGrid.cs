namespace Recsys.Imaging;

/// <summary>A contact sheet: pictures in rows of equal cells, for reports.</summary>
public static class PictureGrid
{
    /// <param name="pictures">Row by row; null leaves its cell empty.</param>
    /// <param name="columns">Cells in a row.</param>
    /// <param name="cell">Side of a cell; each picture is fitted into it, keeping its proportions.</param>
    /// <param name="gap">Pixels between cells and around them.</param>
    /// <exception cref="ImageException">No picture, or a sheet of more than 64 million pixels.</exception>
    public static Picture Build(IReadOnlyList<Picture?> pictures, int columns, int cell, int gap = 2, Rgb? background = null)
    {
        int rows = columns < 1 ? 0 : (pictures.Count + columns - 1) / columns;
        long width = gap + ((long)columns * (cell + gap)), height = gap + ((long)rows * (cell + gap));
        if (rows < 1 || cell is < 1 or > ImageResizer.MaxSide || gap is < 0 or > 1024 || width * height > DecodeOptions.Default.MaxPixels)
        {
            throw new ImageException($"A sheet of {pictures.Count} pictures in {columns} columns with cells of {cell} and gaps of {gap} pixels: needs at least one of each, and at most {DecodeOptions.Default.MaxPixels:N0} pixels.");
        }

        var colour = background ?? Rgb.White;
        var sheet = Picture.Solid((int)width, (int)height, colour);
        for (int at = 0; at < pictures.Count; at++)
        {
            if (pictures[at] is { } picture)
            {
                var (w, h) = Fitting.Size(picture.Width, picture.Height, cell, cell, ImageFit.Contain);
                var fitted = w == picture.Width && h == picture.Height ? picture : ImageResizer.Resize(picture, w, h);
                int x = gap + (at % columns * (cell + gap)), y = gap + (at / columns * (cell + gap));
                sheet.Paste(fitted, x + ((cell - w) / 2), y + ((cell - h) / 2));
            }
        }

        return sheet;
    }
}
