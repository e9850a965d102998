namespace Recsys.Imaging;

/// <summary>A file that is no whole picture or passes a limit, an argument out of its range, or a machine without libvips.</summary>
public sealed class ImageException(string message, Exception? inner = null) : Exception(message, inner);
