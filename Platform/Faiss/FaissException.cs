namespace Recsys.Faiss;

/// <summary>A wrong argument to, or a fault inside, k-means or an index; the message names the operation, the value and the limit.</summary>
public sealed class FaissException : Exception
{
    public FaissException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
