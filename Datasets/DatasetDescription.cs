using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
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

    private static readonly (Func<JsonElement, bool> Fits, string Allowed) Text =
        (value => value.ValueKind is JsonValueKind.String or JsonValueKind.Null, "a string");

    private static readonly OrderedDictionary<string, (Func<JsonElement, bool> Fits, string Allowed)> Keys = new()
    {
        ["name"] = (value => value.ValueKind is JsonValueKind.String && SafeName.IsValid(value.GetString()),
            "1 to 100 letters, digits, '.', '-' or '_', not starting with '.'"),
        ["format"] = (value => value.ValueKind is JsonValueKind.Number && value.TryGetInt32(out int format) && format == Format,
            $"{Format}"),
        ["simulated"] = (value => value.ValueKind is JsonValueKind.True or JsonValueKind.False, "true, false"),
        ["itemIdColumn"] = Text,
        ["licence"] = Text,
        ["source"] = Text,
        ["note"] = Text,
        ["figures"] = (value => value.ValueKind is JsonValueKind.Null || (value.ValueKind is JsonValueKind.Object
            && value.EnumerateObject().All(figure => figure.Value.ValueKind is JsonValueKind.Number)), "an object of numbers by name"),
    };

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

    private static DatasetDescription Parse(ReadOnlySpan<byte> utf8, string path)
    {
        try
        {
            var json = JsonElement.Parse(
                utf8, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (json.ValueKind != JsonValueKind.Object)
            {
                throw CatalogException.Invalid($"'{path}' must be one JSON object, not {json.ValueKind}.");
            }

            Check(json, path);
            return json.Deserialize<DatasetDescription>(Json.Description)!;
        }
        catch (JsonException error)
        {
            throw CatalogException.Invalid($"'{path}' is no JSON: {error.Message}", error);
        }
    }

    private static void Check(JsonElement json, string path)
    {
        var faults = new Faults(path);
        foreach (var property in json.EnumerateObject().GroupBy(property => property.Name))
        {
            if (!Keys.TryGetValue(property.Key, out var key))
            {
                faults.Add($"key '{property.Key}' is unknown; allowed: {string.Join(", ", Keys.Keys)}");
            }
            else if (property.Count() > 1)
            {
                faults.Add($"key '{property.Key}' appears {property.Count()} times; allowed: once");
            }
            else if (property.Single().Value is var value && !key.Fits(value))
            {
                faults.Add($"key '{property.Key}' is {value.GetRawText()}; allowed: {key.Allowed}");
            }
        }

        foreach (string missing in new[] { "name", "format" }.Where(key => !json.TryGetProperty(key, out _)))
        {
            faults.Add($"key '{missing}' is missing; allowed: {Keys[missing].Allowed}");
        }

        faults.ThrowIfAny();
    }

    /// <summary>Writes <c>dataset.json</c> into a folder, atomically.</summary>
    public void Write(string folder)
    {
        string path = Path.Combine(folder, FileName);
        var figures = Figures?.OrderBy(figure => figure.Key, StringComparer.Ordinal);
        var sorted = this with { Figures = figures is null ? null : new OrderedDictionary<string, double>(figures) };
        var json = (JsonObject)JsonSerializer.SerializeToNode(sorted, Json.Description)!;
        json.Insert(1, "format", Format);
        string text = json.ToJsonString(Json.Description) + "\n";
        _ = Parse(Encoding.UTF8.GetBytes(text), path); // what could not be read again is not written
        AtomicFile.WriteText(path, text);
    }
}
