using Recsys.Catalog;

namespace Recsys.Cli.Terminal;

/// <summary>What the file system refuses, as typed errors: a full disk and a read-only folder are no faults of ours.</summary>
internal static class FileFault
{
    private const int TooManyOpenFiles = 24, NoSpace = 28, OverQuota = 122; // Linux's errno, which HResult is where there is no other

    /// <param name="exception">Anything that a verb threw.</param>
    /// <param name="place">What was written, where the exception does not name it.</param>
    /// <returns>NotFound, ResourceExhausted (full) or Unavailable (all else); every other exception as it came.</returns>
    public static Exception Typed(Exception exception, string place = "")
    {
        string said = $"{place}{exception.Message.TrimEnd('.')}.";
        return exception switch
        {
            AggregateException { InnerExceptions: [var only] } => Typed(only, place),
            FileNotFoundException { FileName: { } assembly } when assembly.Contains(", Version=", StringComparison.Ordinal) => exception,
            EndOfStreamException or FileLoadException => exception,
            FileNotFoundException or DirectoryNotFoundException =>
                CatalogException.NotFound($"{said} Check the path; the folder above it must be there.", exception),
            IOException { HResult: NoSpace or OverQuota or TooManyOpenFiles } =>
                new CatalogException(Fault.ResourceExhausted, $"{said} Make room there, or name another place, and call again.", exception),
            IOException or UnauthorizedAccessException => CatalogException.Unavailable(
                $"{said} It must be readable, and what is made must be writable, for this user: change that, or name another place.",
                exception),
            _ => exception,
        };
    }
}
