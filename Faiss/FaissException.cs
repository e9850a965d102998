namespace Recsys.Faiss;

/// <summary>A wrong argument, or a fault inside FAISS. The message says what was wrong, its value, the limit and what to do.</summary>
public sealed class FaissException : Exception
{
    public FaissException(string what, object? value, string limit, string remedy)
        : this($"{what} is {value}, but must be {limit}; {remedy}", what, value, limit, remedy)
    {
    }

    private FaissException(string message, string what, object? value, string? limit, string? remedy, Exception? inner = null)
        : base(message, inner) => (What, Value, Limit, Remedy) = (what, value, limit, remedy);

    /// <summary>The argument or the operation.</summary>
    public string What { get; }

    /// <summary>What it was; null for a fault inside FAISS.</summary>
    public object? Value { get; }

    /// <summary>What it may be; null for a fault inside FAISS.</summary>
    public string? Limit { get; }

    /// <summary>What to do next; null where only the message knows.</summary>
    public string? Remedy { get; }

    internal static FaissException Fault(string operation, string message, string? remedy = null) =>
        new($"{operation}: {message}{(remedy is null ? "" : $"; {remedy}")}", operation, null, null, remedy);
}
