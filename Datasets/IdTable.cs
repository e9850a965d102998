namespace Recsys.Datasets;

/// <summary>Item ids by dense index and back; grows while histories are read when there is no items file.</summary>
public sealed class IdTable
{
    private readonly List<string> _ids = [];
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);
    private readonly bool _grows;

    private IdTable(bool grows) => _grows = grows;

    public IReadOnlyList<string> Ids => _ids;

    public IReadOnlyDictionary<string, int> Index => _index;

    /// <summary>Whether ids that are not there yet are added.</summary>
    internal bool Grows => _grows;

    /// <summary>Exactly these ids.</summary>
    public static IdTable Of(IEnumerable<string> ids)
    {
        var items = new IdTable(grows: false);
        foreach (string id in ids)
        {
            items._index.Add(id, items._ids.Count);
            items._ids.Add(id);
        }

        return items;
    }

    /// <summary>Every id that is asked for is added bare.</summary>
    public static IdTable Growing() => new(grows: true);

    public bool TryResolve(ReadOnlySpan<char> id, out int item)
    {
        var byText = _index.GetAlternateLookup<ReadOnlySpan<char>>();
        if (byText.TryGetValue(id, out item))
        {
            return true;
        }

        if (!_grows || id.IsEmpty)
        {
            return false;
        }

        item = _ids.Count;
        string text = id.ToString();
        _ids.Add(text);
        _index.Add(text, item);
        return true;
    }
}
