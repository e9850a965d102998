namespace Recsys.Catalog;

/// <summary>The names that become part of paths and keys: of datasets, embeddings and versions.</summary>
public static class SafeName
{
    /// <summary>Whether a name is 1 to 100 letters, digits, '.', '-' or '_', not starting with '.'.</summary>
    public static bool IsValid(string? name) => name is { Length: >= 1 and <= 100 } && name[0] != '.'
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_');
}
