using System.Text;
using Recsys.Catalog;

namespace Recsys.Datasets;

/// <summary>Lines of a text file with their numbers, one at a time; malformed text is refused, not replaced.</summary>
internal static class TextFile
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The one of two files that a folder has; null: neither.</summary>
    /// <exception cref="CatalogException">It has both.</exception>
    public static string? OneOf(string folder, string first, string second)
    {
        string[] found = [.. new[] { first, second }.Select(name => Path.Combine(folder, name)).Where(File.Exists)];
        return found.Length < 2 ? found.FirstOrDefault()
            : throw CatalogException.Invalid($"'{folder}' has both {first} and {second}; keep one of them.");
    }

    /// <exception cref="CatalogException">NotFound; InvalidArgument for bytes that are no UTF-8.</exception>
    public static IEnumerable<(long Number, string Text)> Lines(string path)
    {
        if (!File.Exists(path))
        {
            throw CatalogException.NotFound($"File '{path}' does not exist.");
        }

        using var reader = new StreamReader(
            path, StrictUtf8, detectEncodingFromByteOrderMarks: true,
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
