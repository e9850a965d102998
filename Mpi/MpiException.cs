namespace Recsys.Mpi;

/// <summary>Several processes were asked for and cannot work together; the message says what was found and what to install.</summary>
public sealed class MpiException(string message, Exception? inner = null) : Exception(message, inner);
