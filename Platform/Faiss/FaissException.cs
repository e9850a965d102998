namespace Recsys.Faiss;

/// <summary>A wrong argument to, or a fault inside, k-means or an index; the message names the operation, the value and the limit.</summary>
public class FaissException : Exception
{
    public FaissException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>A file that is no index, is damaged, truncated or contradicts itself; nothing of it was used.</summary>
public sealed class FaissFileException : FaissException
{
    public FaissFileException(string message, string? path = null, Exception? inner = null)
        : base(path is null ? message : $"{path}: {message}", inner) => Path = path;

    /// <summary>The file; null where bytes were checked.</summary>
    public string? Path { get; }
}
