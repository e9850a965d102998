namespace Recsys.Imaging;

/// <summary>
/// A picture that cannot be decoded, resized or encoded, or a machine without libvips. The message names the file (where one was named),
/// what was wrong with it, and the limit.
/// </summary>
public sealed class ImageException : Exception
{
    public ImageException(string message, string? file = null, Exception? inner = null)
        : base(file is null ? message : $"{file}: {message}", inner) => File = file;

    /// <summary>Name of the picture as the caller gave it; null where none was given.</summary>
    public string? File { get; }
}
