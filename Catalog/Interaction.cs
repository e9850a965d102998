namespace Recsys.Catalog;

/// <summary>A user touched an item.</summary>
/// <param name="Time">When the user did.</param>
/// <param name="Noted">When it was told here.</param>
public sealed record Interaction(string UserId, string ItemId, DateTimeOffset Time, DateTimeOffset Noted);
