namespace Recsys.Catalog;

/// <summary>What an item id may be, wherever one comes in: one line of 1 to <see cref="MaxLength"/> characters without tabs.</summary>
public static class ItemIds
{
    /// <summary>Characters (UTF-16) of an id.</summary>
    public const int MaxLength = 1_024;

    private const int MaxShown = 60;

    /// <param name="field">Of a request, that has it.</param>
    /// <exception cref="CatalogException">InvalidArgument, with the id's first characters.</exception>
    public static void Check(string id, string field = "item_id")
    {
        if (id.Length is 0 or > MaxLength)
        {
            throw CatalogException.InvalidField(
                field,
                $"Item id '{Shown(id)}' has {id.Length} characters; allowed are 1 to {MaxLength}. Send the id as the catalogue has it.");
        }

        if (id.AsSpan().IndexOfAny('\t', '\n', '\r') >= 0)
        {
            throw CatalogException.InvalidField(
                field, $"Item id '{Shown(id)}' has a tab or line break; ids must be one line without tabs.");
        }
    }

    /// <summary>The id as a message shows it: its first characters, on one line.</summary>
    public static string Shown(string id)
    {
        string line = id.Length <= MaxShown ? id : id[..(char.IsHighSurrogate(id[MaxShown - 1]) ? MaxShown - 1 : MaxShown)] + "…";
        return line.Replace('\t', ' ').Replace('\n', ' ').Replace('\r', ' ');
    }
}
