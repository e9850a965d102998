using System.Globalization;

namespace Recsys.Catalog;

/// <summary>Collects what is wrong with options or an input, so that its owner sees all of it at once, the first 20 in full.</summary>
/// <param name="subject">What is looked at: "Retrieval options", a file.</param>
public sealed class Faults(string subject)
{
    /// <summary>Faults that are listed in full; of more, only the number is said.</summary>
    public const int Shown = 20;

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

    /// <summary>Notes an option that is out of what is allowed.</summary>
    /// <param name="key">As in the JSON: snake_case, with the section: <c>retrieval.batch_tokens</c>.</param>
    /// <param name="allowed">The range in words: "1 to 512".</param>
    public void Check(bool holds, string key, object? value, string allowed)
    {
        if (!holds)
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"{key} is {value ?? "null"}, allowed is {allowed}"));
        }
    }

    /// <summary>Notes a number outside of a closed range, or not a number.</summary>
    public void Range(string key, double value, double min, double max) => Check(
        value >= min && value <= max, key, value, string.Create(CultureInfo.InvariantCulture, $"{min} to {max}"));

    /// <summary>The first 20, in the order in which they were found.</summary>
    public IReadOnlyList<string> List => _faults;

    /// <summary>What a check notes.</summary>
    public static IReadOnlyList<string> Of(Action<Faults> check)
    {
        var faults = new Faults("");
        check(faults);
        return faults.List;
    }

    /// <summary>Runs a check and throws what it noted.</summary>
    /// <exception cref="CatalogException">InvalidArgument with every fault, when there is one.</exception>
    public static void ThrowIfAny(string subject, Action<Faults> check)
    {
        var faults = new Faults(subject);
        check(faults);
        faults.ThrowIfAny();
    }

    /// <exception cref="CatalogException">InvalidArgument with every fault, when there is one.</exception>
    public void ThrowIfAny()
    {
        if (Count > 0)
        {
            string more = Count > Shown ? $"\n  … and {Count - Shown} more." : "";
            throw CatalogException.Invalid(
                $"{subject}: {Count} {(Count == 1 ? "fault" : "faults")}.\n  {string.Join("\n  ", _faults)}{more}");
        }
    }
}
