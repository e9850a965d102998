using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Recsys.V1;

namespace Recsys.Retrieval.Service;

/// <summary>
/// The fields that a caller wants of an answer: those of the answer itself by name, those of its items as <c>items.NAME</c>.
/// </summary>
internal sealed class AnswerFields
{
    private const string Items = "items", OfItem = Items + ".";

    /// <summary>What every answer says.</summary>
    private static readonly string[] Always = ["version", "request_id", "stale"];

    private readonly FieldDescriptor[] _unwanted = [], _unwantedOfItem = [];

    /// <param name="mask">Null or without paths: every field.</param>
    /// <exception cref="CatalogException">InvalidArgument: a path that is no field.</exception>
    public AnswerFields(FieldMask? mask)
    {
        if (mask is null || mask.Paths.Count == 0)
        {
            return;
        }

        var (answer, item) = (
            RecommendResponse.Descriptor.Fields.InDeclarationOrder(), RecommendedItem.Descriptor.Fields.InDeclarationOrder());
        string[] allowed = [.. answer.Select(field => field.Name), .. item.Select(field => OfItem + field.Name)];
        if (mask.Paths.FirstOrDefault(path => !allowed.Contains(path)) is { } unknown)
        {
            throw CatalogException.InvalidField(
                "read_mask", $"read_mask has '{ItemIds.Shown(unknown)}'; allowed are {string.Join(", ", allowed)}.");
        }

        bool whole = mask.Paths.Contains(Items), some = mask.Paths.Any(path => path.StartsWith(OfItem, StringComparison.Ordinal));
        _unwanted = [.. answer.Where(
            field => !mask.Paths.Contains(field.Name) && !Always.Contains(field.Name) && !(field.Name == Items && some))];
        _unwantedOfItem = whole ? [] : [.. item.Where(field => !mask.Paths.Contains(OfItem + field.Name))];
    }

    /// <summary>Clears what is not wanted.</summary>
    public void Keep(RecommendResponse response)
    {
        Clear(response, _unwanted);
        foreach (var item in response.Items)
        {
            Clear(item, _unwantedOfItem);
        }
    }

    private static void Clear(IMessage message, FieldDescriptor[] fields) => Array.ForEach(fields, field => field.Accessor.Clear(message));
}
