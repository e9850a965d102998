namespace Recsys.Torch;

/// <summary>A state dictionary that does not fit its module; nothing was written.</summary>
public sealed class StateDictException : InvalidOperationException
{
    internal StateDictException(string module, List<string> missing, List<string> unexpected, List<string> misshapen)
        : base($"state does not fit {module}: {List("missing", missing)}; {List("unexpected", unexpected)}; {List("wrong shape", misshapen)}")
    {
        Missing = missing;
        Unexpected = unexpected;
        Misshapen = misshapen;
    }

    /// <summary>Keys of the module that the dictionary lacks.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Keys of the dictionary that the module lacks.</summary>
    public IReadOnlyList<string> Unexpected { get; }

    /// <summary>Keys whose shapes differ, each with both shapes.</summary>
    public IReadOnlyList<string> Misshapen { get; }

    private static string List(string what, List<string> keys) =>
        keys.Count == 0 ? $"{what} none" : $"{what} {keys.Count} ({string.Join(", ", keys)})";
}
