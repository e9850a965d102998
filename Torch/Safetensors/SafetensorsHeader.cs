using System.Text;
using System.Text.Json;

namespace Recsys.Torch;

/// <summary>
/// The JSON in front of the data. Reading trusts nothing: strict UTF-8 and JSON, no key twice, no unknown field, every length equal
/// to dtype × shape, and the data covered from its first byte to its last without gap or overlap.
/// </summary>
internal sealed class SafetensorsHeader
{
    internal const long MaxBytes = 100_000_000;
    private const int MaxDimensions = 64; // libtorch's own limit
    internal const string MetadataKey = "__metadata__";
    private static readonly UTF8Encoding Strict = new(false, true);

    private SafetensorsHeader(List<SafetensorsEntry> entries, Dictionary<string, string> metadata)
    {
        Entries = entries;
        Metadata = metadata;
    }

    /// <summary>In the order of their data.</summary>
    public List<SafetensorsEntry> Entries { get; }

    public Dictionary<string, string> Metadata { get; }

    /// <param name="json">The header without its length.</param>
    /// <param name="dataLength">Bytes that follow the header.</param>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataLength)
    {
        if (json.Length == 0 || json[0] != (byte)'{')
        {
            throw new SafetensorsException("the header does not start with '{'; this is not a safetensors file");
        }

        try
        {
            Strict.GetCharCount(json);
            using var document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { MaxDepth = 4, AllowDuplicateProperties = false });
            var metadata = new Dictionary<string, string>();
            var entries = new List<SafetensorsEntry>();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.Name == MetadataKey)
                {
                    metadata = Expect(property.Value, JsonValueKind.Object, MetadataKey).EnumerateObject()
                        .ToDictionary(pair => pair.Name, pair => Expect(pair.Value, JsonValueKind.String, $"{MetadataKey}.{pair.Name}").GetString()!);
                }
                else
                {
                    entries.Add(ReadEntry(property.Name, Expect(property.Value, JsonValueKind.Object, property.Name)));
                }
            }

            entries.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
            CheckCoverage(entries, dataLength);
            return new SafetensorsHeader(entries, metadata);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or DecoderFallbackException)
        {
            throw new SafetensorsException($"the header is not valid JSON in UTF-8: {e.Message}", e);
        }
    }

    /// <summary>The header's bytes, padded with spaces to a multiple of 8; entries in the order of their data.</summary>
    public static byte[] Format(IReadOnlyList<SafetensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata)
    {
        var json = new StringBuilder("{");
        if (metadata is { Count: > 0 })
        {
            Quote(json, MetadataKey).Append(":{");
            foreach ((string key, string value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
            {
                Quote(json, key).Append(':');
                Quote(json, value).Append(',');
            }

            json.Length--;
            json.Append("},");
        }

        foreach (SafetensorsEntry e in entries)
        {
            Quote(json, e.Name).Append(":{\"dtype\":\"").Append(e.Format).Append("\",\"shape\":[").AppendJoin(',', e.Shape)
                .Append("],\"data_offsets\":[").Append(e.Begin).Append(',').Append(e.End).Append("]},");
        }

        if (json[^1] == ',')
        {
            json.Length--;
        }

        json.Append('}');
        byte[] bytes;
        try
        {
            bytes = Strict.GetBytes(json.ToString());
        }
        catch (EncoderFallbackException e)
        {
            throw new SafetensorsException("a name or a metadata text is not valid Unicode", e);
        }

        byte[] padded = new byte[(bytes.Length + 7) / 8 * 8];
        padded.AsSpan().Fill((byte)' ');
        bytes.CopyTo(padded, 0);
        return padded.Length <= MaxBytes ? padded : throw new SafetensorsException($"the header has {padded.Length} bytes, at most {MaxBytes} are allowed");
    }

    private static SafetensorsEntry ReadEntry(string name, JsonElement fields)
    {
        if (fields.EnumerateObject().Select(field => field.Name).FirstOrDefault(field => field is not ("dtype" or "shape" or "data_offsets")) is { } unknown)
        {
            throw new SafetensorsException($"tensor '{name}' has the unknown field '{unknown}'");
        }

        if (!fields.TryGetProperty("dtype", out var dtype) || !fields.TryGetProperty("shape", out var shape) || !fields.TryGetProperty("data_offsets", out var offsets))
        {
            throw new SafetensorsException($"tensor '{name}' lacks one of dtype, shape and data_offsets");
        }

        string format = Expect(dtype, JsonValueKind.String, $"{name}.dtype").GetString()!;
        return ReadNumbers(offsets, $"{name}.data_offsets", 2) is [long begin, long end]
            ? Checked(name, format, ReadNumbers(shape, $"{name}.shape", MaxDimensions), begin, end)
            : throw new SafetensorsException($"tensor '{name}' lacks one of two data_offsets");
    }

    private static SafetensorsEntry Checked(string name, string format, long[] shape, long begin, long end)
    {
        (int width, ScalarType? type) = SafetensorsEntry.Find(format) ?? throw new SafetensorsException($"tensor '{name}' has the unknown dtype '{format}'");
        long bits = width;
        try
        {
            bool empty = shape.Contains(0);
            foreach (long size in shape)
            {
                bits = checked(bits * (empty && size == 0 ? 1 : size)); // also an empty shape may not overflow libtorch's strides
            }

            bits = empty ? 0 : bits;
        }
        catch (OverflowException)
        {
            throw new SafetensorsException($"tensor '{name}' of shape [{string.Join(", ", shape)}] is too large: its size does not fit into 63 bits");
        }

        if (bits % 8 != 0)
        {
            throw new SafetensorsException($"tensor '{name}', {format} of shape [{string.Join(", ", shape)}], has {bits} bits, which are not whole bytes");
        }

        if (end - begin != bits / 8)
        {
            throw new SafetensorsException(
                $"tensor '{name}', {format} of shape [{string.Join(", ", shape)}], needs {bits / 8} bytes, but its offsets are {begin} to {end}");
        }

        return new SafetensorsEntry(name, format, type, shape, begin, end);
    }

    private static void CheckCoverage(List<SafetensorsEntry> entries, long dataLength)
    {
        long at = 0;
        foreach (SafetensorsEntry e in entries)
        {
            if (e.Begin != at)
            {
                throw new SafetensorsException(
                    $"tensor '{e.Name}' begins at byte {e.Begin}, but the one before it ends at {at}: {(e.Begin > at ? "a gap" : "an overlap")}");
            }

            at = e.End;
        }

        if (at != dataLength)
        {
            throw new SafetensorsException($"the tensors cover {at} bytes, but {dataLength} follow the header; the file is truncated or has a tail");
        }
    }

    private static long[] ReadNumbers(JsonElement array, string where, int max)
    {
        if (Expect(array, JsonValueKind.Array, where).GetArrayLength() > max)
        {
            throw new SafetensorsException($"'{where}' has more than {max} numbers");
        }

        return [.. array.EnumerateArray().Select(element =>
            Expect(element, JsonValueKind.Number, where).TryGetInt64(out long number) && number >= 0 && element.GetRawText()[0] != '-'
                ? number
                : throw new SafetensorsException($"'{where}' has {element.GetRawText()}; it must be a whole number from 0 to 2^63 - 1"))];
    }

    private static JsonElement Expect(JsonElement element, JsonValueKind kind, string where) => element.ValueKind == kind
        ? element
        : throw new SafetensorsException($"'{where}' has a {element.ValueKind} where a {kind} belongs");

    // The escapes that the official implementation writes, so that the bytes are equal.
    private static StringBuilder Quote(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (char c in text)
        {
            int named = "\"\\\b\t\n\f\r".IndexOf(c, StringComparison.Ordinal);
            _ = named >= 0 ? json.Append('\\').Append("\"\\btnfr"[named]) : c < ' ' ? json.Append($"\\u{(int)c:x4}") : json.Append(c);
        }

        return json.Append('"');
    }
}
