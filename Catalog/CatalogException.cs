namespace Recsys.Catalog;

/// <summary>What kind of fault it is; every service maps it to one gRPC status and the command line to one exit code.</summary>
public enum Fault
{
    /// <summary>The caller's value is wrong and will stay wrong.</summary>
    InvalidArgument,

    /// <summary>What was named does not exist.</summary>
    NotFound,

    /// <summary>The value is right, but the system is not in a state to do it (no active version, say).</summary>
    FailedPrecondition,

    /// <summary>A file is damaged or truncated.</summary>
    DataLoss,

    /// <summary>A part that is needed does not answer now; try again.</summary>
    Unavailable,

    /// <summary>A limit was reached.</summary>
    ResourceExhausted,
}

/// <summary>
/// The one typed error of the product's own rules. Its message says what was wrong, the value, the limit and what to do next.
/// </summary>
public sealed class CatalogException : Exception
{
    public CatalogException(Fault fault, string message, Exception? inner = null)
        : base(message, inner) => Fault = fault;

    public Fault Fault { get; }

    /// <summary>The field of a request that is wrong; null: it is no request's, or no single one.</summary>
    public string? Field { get; private init; }

    /// <summary>When calling again may help; null: not known.</summary>
    public TimeSpan? RetryAfter { get; private init; }

    public static CatalogException Invalid(string message, Exception? inner = null) => new(Fault.InvalidArgument, message, inner);

    /// <summary>InvalidArgument of one field of a request.</summary>
    /// <param name="field">As the protos name it: <c>k</c>, <c>items.attributes</c>.</param>
    public static CatalogException InvalidField(string field, string message, Exception? inner = null) =>
        new(Fault.InvalidArgument, message, inner) { Field = field };

    public static CatalogException NotFound(string message, Exception? inner = null) => new(Fault.NotFound, message, inner);

    public static CatalogException Precondition(string message, Exception? inner = null) => new(Fault.FailedPrecondition, message, inner);

    public static CatalogException Damaged(string message, Exception? inner = null) => new(Fault.DataLoss, message, inner);

    /// <summary>ResourceExhausted: too much is asked at once.</summary>
    public static CatalogException Busy(string message, TimeSpan retryAfter) =>
        new(Fault.ResourceExhausted, message) { RetryAfter = retryAfter };

    public static CatalogException Unavailable(string message, Exception? inner = null) => new(Fault.Unavailable, message, inner);
}
