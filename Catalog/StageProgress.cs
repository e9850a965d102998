namespace Recsys.Catalog;

/// <summary>How far a long step has come; <paramref name="Metrics"/> (loss, for example) is also kept for the report's curves.</summary>
/// <param name="Stage">Stable lower-case name: <c>quantizer</c>, <c>retrieval</c>, <c>creative</c>, <c>encode</c>…</param>
/// <param name="Done">Units done, of <paramref name="Total"/>.</param>
public sealed record StageProgress(
    string Stage, long Done, long Total, string? Note = null, IReadOnlyDictionary<string, double>? Metrics = null);
