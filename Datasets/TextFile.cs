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

    /// <summary>Fields of one CSV line (RFC 4180, without line breaks inside quotes).</summary>
    public static bool TrySplitCsv(string line, List<string> fields)
    {
        fields.Clear();
        if (!line.Contains('"', StringComparison.Ordinal))
        {
            fields.AddRange(line.Split(','));
            return true;
        }

        var field = new StringBuilder();
        for (int at = 0; ; at++)
        {
            field.Clear();
            if (at < line.Length && line[at] == '"')
            {
                for (at++; ; at++)
                {
                    if (at >= line.Length)
                    {
                        return false;
                    }

                    if (line[at] != '"')
                    {
                        field.Append(line[at]);
                    }
                    else if (at + 1 < line.Length && line[at + 1] == '"')
                    {
                        field.Append('"');
                        at++;
                    }
                    else
                    {
                        at++;
                        break;
                    }
                }

                if (at < line.Length && line[at] != ',')
                {
                    return false;
                }
            }
            else
            {
                for (; at < line.Length && line[at] != ','; at++)
                {
                    field.Append(line[at]);
                }
            }

            fields.Add(field.ToString());
            if (at >= line.Length)
            {
                return true;
            }
        }
    }
}
