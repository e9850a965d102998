using System.Text.Json;
using System.Text.Json.Serialization;

namespace Recsys.Catalog;

/// <summary>How JSON is written and read, in one place: keys in snake_case, without what is null.</summary>
public static class Json
{
    /// <summary>Files that the product itself writes: indented. What is unknown or missing, or null where a value belongs, is
    /// refused.</summary>
    public static JsonSerializerOptions Files { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        WriteIndented = true,
    };
}
