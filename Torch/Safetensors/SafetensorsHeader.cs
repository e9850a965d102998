using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Recsys.Torch.Safetensors;

/// <summary>
/// The JSON in front of the data. Reading trusts nothing: strict UTF-8 and JSON, no key twice, no unknown field, every length equal
/// to dtype × shape, and the data covered from its first byte to its last without gap or overlap.
/// </summary>
/// <param name="Entries">In the order of their data.</param>
internal sealed record SafetensorsHeader(List<SafetensorsEntry> Entries, Dictionary<string, string> Metadata)
{
    internal const long MaxBytes = 100_000_000;
    private const int MaxDimensions = 64; // libtorch's own limit
    internal const string MetadataKey = "__metadata__";
    private static readonly UTF8Encoding Strict = new(false, true);

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
            using var document = JsonDocument.Parse(
                json.ToArray(), new JsonDocumentOptions { MaxDepth = 4, AllowDuplicateProperties = false });
            var metadata = new Dictionary<string, string>();
            var entries = new List<SafetensorsEntry>();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.Name == MetadataKey)
                {
                    metadata = Expect(property.Value, JsonValueKind.Object, MetadataKey).EnumerateObject()
                        .ToDictionary(
                            pair => pair.Name, pair => Expect(pair.Value, JsonValueKind.String, $"{MetadataKey}.{pair.Name}").GetString()!);
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
        using var bytes = new MemoryStream();
        try
        {
            // The writer would put another character in the place of half a pair.
            Strict.GetByteCount(
                string.Join('\n', [.. entries.Select(entry => entry.Name), .. metadata?.Keys ?? [], .. metadata?.Values ?? []]));
            using var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WritePropertyName(MetadataKey);
                JsonSerializer.Serialize(json, new SortedDictionary<string, string>(metadata.ToDictionary(), StringComparer.Ordinal));
            }

            foreach (var entry in entries)
            {
                json.WritePropertyName(entry.Name);
                JsonSerializer.Serialize(
                    json, new { dtype = entry.Format, shape = entry.Shape, data_offsets = new[] { entry.Begin, entry.End } });
            }

            json.WriteEndObject();
        }
        catch (EncoderFallbackException e)
        {
            throw new SafetensorsException("a name or a metadata text is not valid Unicode", e);
        }

        bytes.Write(Encoding.ASCII.GetBytes(new string(' ', (int)(-bytes.Length & 7))));

        return bytes.Length <= MaxBytes
            ? bytes.ToArray()
            : throw new SafetensorsException($"the header has {bytes.Length} bytes, at most {MaxBytes} are allowed");
    }

    private static SafetensorsEntry ReadEntry(string name, JsonElement fields)
    {
        var names = fields.EnumerateObject().Select(field => field.Name);
        if (names.FirstOrDefault(name => name is not ("dtype" or "shape" or "data_offsets")) is { } unknown)
        {
            throw new SafetensorsException($"tensor '{name}' has the unknown field '{unknown}'");
        }

        if (!fields.TryGetProperty("dtype", out var dtype) || !fields.TryGetProperty("shape", out var shape)
            || !fields.TryGetProperty("data_offsets", out var offsets))
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
        var (bytes, type) = SafetensorsEntry.Find(name, format);
        long length = bytes;
        try
        {
            bool empty = shape.Contains(0);
            foreach (long size in shape)
            {
                length = checked(length * (empty && size == 0 ? 1 : size)); // also an empty shape may not overflow libtorch's strides
            }

            length = empty ? 0 : length;
        }
        catch (OverflowException)
        {
            throw new SafetensorsException(
                $"tensor '{name}' of shape [{string.Join(", ", shape)}] is too large: its size does not fit into 63 bits");
        }

        return end - begin == length
            ? new SafetensorsEntry(name, type, shape, begin, end)
            : throw new SafetensorsException(
                $"tensor '{name}', {format} of shape [{string.Join(", ", shape)}], needs {length} bytes, but its offsets are {begin} "
                + $"to {end}");
    }

    private static void CheckCoverage(List<SafetensorsEntry> entries, long dataLength)
    {
        long at = 0;
        foreach (SafetensorsEntry e in entries)
        {
            if (e.Begin != at)
            {
                throw new SafetensorsException(
                    $"tensor '{e.Name}' begins at byte {e.Begin}, but the one before it ends at {at}: "
                    + $"{(e.Begin > at ? "a gap" : "an overlap")}");
            }

            at = e.End;
        }

        if (at != dataLength)
        {
            throw new SafetensorsException(
                $"the tensors cover {at} bytes, but {dataLength} follow the header; the file is truncated or has a tail");
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
}
