namespace Recsys.Catalog;

/// <summary>One item of a catalogue, as its owner describes it.</summary>
/// <param name="Id">The owner's id; what histories and answers hold.</param>
/// <param name="Title">For people; may be empty.</param>
/// <param name="Fields">Every other text column (brand, categories, genres…) by name.</param>
/// <param name="Image">Entry name in <c>images.zip</c> or file name in <c>images/</c>; null without a picture.</param>
public sealed record Item(string Id, string Title, IReadOnlyDictionary<string, string> Fields, string? Image);
