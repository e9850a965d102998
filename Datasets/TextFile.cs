using System.Text;
using Recsys.Catalog;

namespace Recsys.Datasets;

/// <summary>Lines of a text file with their numbers, one at a time; malformed text is refused, not replaced.</summary>
internal static class TextFile
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="CatalogException">NotFound; InvalidArgument for bytes that are no UTF-8.</exception>
    public static IEnumerable<(long Number, string Text)> Lines(string path, Encoding? encoding = null)
    {
        if (!File.Exists(path))
        {
            throw CatalogException.NotFound($"File '{path}' does not exist.");
        }

        using var reader = new StreamReader(
            path, encoding ?? StrictUtf8, detectEncodingFromByteOrderMarks: true,
            new FileStreamOptions { BufferSize = 1 << 16, Options = FileOptions.SequentialScan });
        for (long number = 1; ; number++)
        {
            string? line;
            try
            {
                line = reader.ReadLine();
            }
            catch (DecoderFallbackException error)
            {
                throw CatalogException.Invalid(
                    $"'{path}', at or after line {number}: the bytes {Convert.ToHexString(error.BytesUnknown ?? [])} are no UTF-8. "
                    + "Convert the file first, for example: iconv -f ISO-8859-1 -t UTF-8",
                    error);
            }

            if (line is null)
            {
                yield break;
            }

            yield return (number, line);
        }
    }
}
