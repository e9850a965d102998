using Recsys.Catalog;

namespace Recsys.Protos;

/// <summary>The one translation between a semantic ID and its message.</summary>
public static class SemanticIdMessages
{
    public static V1.SemanticId ToMessage(this SemanticId id)
    {
        var message = new V1.SemanticId { Collision = id.Collision };
        message.Codes.AddRange(id.Codes().Select(code => (uint)code));
        return message;
    }

    /// <exception cref="CatalogException">A code or collision token above 65,535, no code, or more codes than
    /// <see cref="SemanticId.MaxLevels"/>.</exception>
    public static SemanticId ToSemanticId(this V1.SemanticId message)
    {
        var codes = new ushort[message.Codes.Count];
        for (int level = 0; level < codes.Length; level++)
        {
            codes[level] = Narrow(message.Codes[level], $"code at level {level}");
        }

        return new SemanticId(codes, Narrow(message.Collision, "collision token"));
    }

    /// <summary><c>12-5-201#0</c>; empty for none.</summary>
    public static string ToText(this V1.SemanticId? message) => message is null ? "" : message.ToSemanticId().ToString();

    private static ushort Narrow(uint value, string what) => value <= ushort.MaxValue
        ? (ushort)value
        : throw CatalogException.InvalidField("semantic_id", $"semantic_id: {what} is {value}; allowed are 0 to {ushort.MaxValue}.");
}
