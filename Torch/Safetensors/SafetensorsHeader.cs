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
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4, CommentHandling = JsonCommentHandling.Disallow, AllowTrailingCommas = false });
            reader.Read();
            SafetensorsHeader header = ReadRoot(ref reader);
            if (reader.Read())
            {
                throw new SafetensorsException("the header goes on after its closing brace");
            }

            CheckCoverage(header.Entries, dataLength);
            return header;
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

    private static SafetensorsHeader ReadRoot(ref Utf8JsonReader reader)
    {
        Dictionary<string, string> metadata = [];
        List<SafetensorsEntry> entries = [];
        HashSet<string> seen = [];
        while (Next(ref reader) != JsonTokenType.EndObject)
        {
            string name = reader.GetString()!;
            if (!seen.Add(name))
            {
                throw new SafetensorsException($"the name '{name}' comes twice in the header");
            }

            Next(ref reader);
            if (name == MetadataKey)
            {
                ReadMetadata(ref reader, metadata);
            }
            else
            {
                entries.Add(ReadEntry(ref reader, name));
            }
        }

        entries.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
        return new SafetensorsHeader(entries, metadata);
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata)
    {
        Expect(ref reader, JsonTokenType.StartObject, MetadataKey);
        while (Next(ref reader) != JsonTokenType.EndObject)
        {
            string key = reader.GetString()!;
            Next(ref reader);
            Expect(ref reader, JsonTokenType.String, $"{MetadataKey}.{key}");
            if (!metadata.TryAdd(key, reader.GetString()!))
            {
                throw new SafetensorsException($"the metadata key '{key}' comes twice");
            }
        }
    }

    private static SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.StartObject, name);
        string? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        while (Next(ref reader) != JsonTokenType.EndObject)
        {
            string field = reader.GetString()!;
            bool twice = field switch { "dtype" => type is not null, "shape" => shape is not null, "data_offsets" => offsets is not null, _ => false };
            if (twice)
            {
                throw new SafetensorsException($"tensor '{name}' has the field '{field}' twice");
            }

            Next(ref reader);
            switch (field)
            {
                case "dtype":
                    Expect(ref reader, JsonTokenType.String, $"{name}.dtype");
                    type = reader.GetString()!;
                    break;
                case "shape":
                    shape = ReadNumbers(ref reader, $"{name}.shape", MaxDimensions);
                    break;
                case "data_offsets":
                    offsets = ReadNumbers(ref reader, $"{name}.data_offsets", 2);
                    break;
                default:
                    throw new SafetensorsException($"tensor '{name}' has the unknown field '{field}'");
            }
        }

        if (type is null || shape is null || offsets is not [long begin, long end])
        {
            throw new SafetensorsException($"tensor '{name}' lacks one of dtype, shape and two data_offsets");
        }

        return Checked(name, type, shape, begin, end);
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

        if (begin > end || end - begin != bits / 8)
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

    private static long[] ReadNumbers(ref Utf8JsonReader reader, string where, int max)
    {
        Expect(ref reader, JsonTokenType.StartArray, where);
        List<long> numbers = [];
        while (Next(ref reader) != JsonTokenType.EndArray)
        {
            Expect(ref reader, JsonTokenType.Number, where);
            if (reader.ValueSpan[0] == (byte)'-' || !reader.TryGetInt64(out long number))
            {
                throw new SafetensorsException($"'{where}' has {Encoding.UTF8.GetString(reader.ValueSpan)}; it must be a whole number from 0 to 2^63 - 1");
            }

            if (numbers.Count == max)
            {
                throw new SafetensorsException($"'{where}' has more than {max} numbers");
            }

            numbers.Add(number);
        }

        return [.. numbers];
    }

    private static JsonTokenType Next(ref Utf8JsonReader reader) =>
        reader.Read() ? reader.TokenType : throw new SafetensorsException("the header ends in the middle");

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string where)
    {
        if (reader.TokenType != type)
        {
            throw new SafetensorsException($"'{where}' has a {reader.TokenType} where a {type} belongs");
        }
    }

    // The escapes that the official implementation writes, so that the bytes are equal.
    private static StringBuilder Quote(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' => json.Append("\\\""),
                '\\' => json.Append("\\\\"),
                '\b' => json.Append("\\b"),
                '\t' => json.Append("\\t"),
                '\n' => json.Append("\\n"),
                '\f' => json.Append("\\f"),
                '\r' => json.Append("\\r"),
                < ' ' => json.Append($"\\u{(int)c:x4}"),
                _ => json.Append(c),
            };
        }

        return json.Append('"');
    }
}
