using NetVips;

namespace Recsys.Imaging;

/// <summary>Encodes RGB as PNG, with texts (recipe, seed, version…) that any PNG reader shows. Same input, same bytes.</summary>
public static class PngEncoder
{
    // The signature and the chunk IHDR, which must come first.
    private const int Header = 8 + 12 + 13;

    /// <param name="texts">Keyword → text; keywords of 1 to 79 printable ASCII characters. Written in order of the keywords.</param>
    /// <exception cref="ImageException">A wrong keyword.</exception>
    public static byte[] Encode(Picture picture, IReadOnlyDictionary<string, string>? texts = null)
    {
        Libvips.Require();
        using var image = ImageResizer.Open(picture);

        // libvips would compress the texts and cut keywords at blanks, so they are put in afterwards.
        byte[] png = image.PngsaveBuffer(compression: 9, filter: Enums.ForeignPngFilter.All, keep: Enums.ForeignKeep.None);
        var chunks = (texts ?? new Dictionary<string, string>()).OrderBy(text => text.Key, StringComparer.Ordinal)
            .SelectMany(text => PngChunks.Text(text.Key, text.Value));
        return [.. png[..Header], .. chunks, .. png[Header..]];
    }
}
