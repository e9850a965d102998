using System.Text;
using Recsys.Catalog;

namespace Recsys.Datasets;

/// <summary>Collects what is wrong with an input so that its owner sees all of it at once, the first 20 in full.</summary>
internal sealed class FaultList(string subject)
{
    private const int Shown = 20;

    private readonly List<string> _faults = [];

    public long Count { get; private set; }

    public void Add(string fault)
    {
        if (Count++ < Shown)
        {
            _faults.Add(fault);
        }
    }

    public void AddLine(string file, long line, string fault) => Add($"{Path.GetFileName(file)}, line {line}: {fault}");

    /// <summary>Some of <paramref name="count"/> faults; the others were only counted.</summary>
    public void AddRange(IEnumerable<string> some, long count)
    {
        long before = Count;
        foreach (string fault in some)
        {
            Add(fault);
        }

        Count = before + count;
    }

    /// <exception cref="CatalogException">InvalidArgument with every fault, when there is one.</exception>
    public void ThrowIfAny()
    {
        if (Count == 0)
        {
            return;
        }

        var text = new StringBuilder($"{subject}: {Count} {(Count == 1 ? "fault" : "faults")}.");
        foreach (string fault in _faults)
        {
            text.Append("\n  ").Append(fault);
        }

        if (Count > Shown)
        {
            text.Append($"\n  … and {Count - Shown} more.");
        }

        throw CatalogException.Invalid(text.ToString());
    }
}
