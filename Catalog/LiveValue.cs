namespace Recsys.Catalog;

/// <summary>What an item's attribute is since a moment, whatever the items file of a version says.</summary>
/// <param name="Text">Empty: the item has none; null: what the version says counts again.</param>
/// <param name="Time">Since when. Of two values the later counts, in whatever order they come.</param>
public sealed record LiveValue(string ItemId, string Attribute, string? Text, DateTimeOffset Time);
