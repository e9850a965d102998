using System.Text;
using System.Text.Json;
using Recsys.Catalog;
using Recsys.Files;

namespace Recsys.Datasets;

/// <summary>What <c>dataset.json</c> says of a dataset folder.</summary>
/// <param name="Name">1 to 100 letters, digits, dots, dashes or underscores.</param>
/// <param name="Simulated">Whether the interactions were simulated; shown wherever results are.</param>
/// <param name="ItemIdColumn">The item file's id column; null: the first.</param>
/// <param name="Licence">Licence of the content; null where unknown.</param>
/// <param name="Source">Where it came from.</param>
/// <param name="Note">What was done to it on import.</param>
/// <param name="Figures">Known figures by name, such as the best recall that a simulated taste model allows.</param>
public sealed record DatasetDescription(
    string Name,
    bool Simulated = false,
    string? ItemIdColumn = null,
    string? Licence = null,
    string? Source = null,
    string? Note = null,
    IReadOnlyDictionary<string, double>? Figures = null)
{
    /// <summary>The file's name inside a dataset folder.</summary>
    public const string FileName = "dataset.json";

    /// <summary>The layout that this program reads and writes.</summary>
    public const int Format = 1;

    private static readonly string[] Keys = ["name", "format", "simulated", "itemIdColumn", "licence", "source", "note", "figures"];

    /// <exception cref="CatalogException">NotFound; InvalidArgument with every fault: key, value, what is allowed.</exception>
    public static DatasetDescription Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw CatalogException.NotFound(
                $"'{folder}' is no dataset folder: it has no {FileName}. Build one with: recsys import <source> --out <folder>");
        }

        return Parse(File.ReadAllBytes(path), path);
    }

    internal static DatasetDescription Parse(ReadOnlyMemory<byte> utf8, string path)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(
                utf8, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        }
        catch (JsonException error)
        {
            throw CatalogException.Invalid($"'{path}' is no JSON: {error.Message}", error);
        }

        using (document)
        {
            var faults = new Faults(path);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw CatalogException.Invalid($"'{path}' must be one JSON object, not {document.RootElement.ValueKind}.");
            }

            var values = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (!Keys.Contains(property.Name))
                {
                    faults.Add($"key '{property.Name}' is unknown; allowed: {string.Join(", ", Keys)}");
                }
                else if (!values.TryAdd(property.Name, property.Value))
                {
                    faults.Add($"key '{property.Name}' appears twice; allowed: once");
                }
            }

            string? name = Text("name");
            if (!SafeName.IsValid(name))
            {
                faults.Add($"key 'name' is {Show("name")}; allowed: 1 to 100 letters, digits, '.', '-' or '_', not starting with '.'");
            }

            if (!values.TryGetValue("format", out var format) || format.ValueKind != JsonValueKind.Number
                || !format.TryGetInt32(out int number) || number != Format)
            {
                faults.Add($"key 'format' is {Show("format")}; allowed: {Format}");
            }

            bool simulated = false;
            if (values.TryGetValue("simulated", out var flag))
            {
                simulated = flag.ValueKind == JsonValueKind.True;
                if (flag.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
                {
                    faults.Add($"key 'simulated' is {Show("simulated")}; allowed: true, false");
                }
            }

            var description = new DatasetDescription(
                name ?? "", simulated, Text("itemIdColumn"), Text("licence"), Text("source"), Text("note"), Figures());
            faults.ThrowIfAny();
            return description;

            string Show(string key) => values.TryGetValue(key, out var value) ? value.GetRawText() : "missing";

            string? Text(string key)
            {
                if (!values.TryGetValue(key, out var value) || value.ValueKind == JsonValueKind.Null)
                {
                    return null;
                }

                if (value.ValueKind != JsonValueKind.String)
                {
                    faults.Add($"key '{key}' is {value.GetRawText()}; allowed: a string");
                    return null;
                }

                return value.GetString();
            }

            Dictionary<string, double>? Figures()
            {
                if (!values.TryGetValue("figures", out var value) || value.ValueKind == JsonValueKind.Null)
                {
                    return null;
                }

                if (value.ValueKind != JsonValueKind.Object
                    || value.EnumerateObject().Any(figure => figure.Value.ValueKind != JsonValueKind.Number))
                {
                    faults.Add($"key 'figures' is {value.GetRawText()}; allowed: an object of numbers by name");
                    return null;
                }

                var figures = new Dictionary<string, double>(StringComparer.Ordinal);
                foreach (var figure in value.EnumerateObject())
                {
                    figures[figure.Name] = figure.Value.GetDouble();
                }

                return figures;
            }
        }
    }

    /// <summary>Writes <c>dataset.json</c> into a folder, atomically.</summary>
    public void Write(string folder)
    {
        using var buffer = new MemoryStream();
        var options = new JsonWriterOptions
        {
            Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        using (var json = new Utf8JsonWriter(buffer, options))
        {
            json.WriteStartObject();
            json.WriteString("name", Name);
            json.WriteNumber("format", Format);
            json.WriteBoolean("simulated", Simulated);
            WriteOptional("itemIdColumn", ItemIdColumn);
            WriteOptional("licence", Licence);
            WriteOptional("source", Source);
            WriteOptional("note", Note);
            if (Figures is not null)
            {
                json.WriteStartObject("figures");
                foreach (var (figure, value) in Figures.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    json.WriteNumber(figure, value);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();

            void WriteOptional(string key, string? value)
            {
                if (value is not null)
                {
                    json.WriteString(key, value);
                }
            }
        }

        // Parsed back first: what could not be read again is not written.
        _ = Parse(buffer.ToArray(), Path.Combine(folder, FileName));
        AtomicFile.WriteText(Path.Combine(folder, FileName), System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n");
    }
}
