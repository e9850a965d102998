namespace Recsys.Imaging;

/// <summary>Limits and choices of a decode. The defaults fit catalogue pictures from strangers.</summary>
public sealed record DecodeOptions
{
    public static DecodeOptions Default { get; } = new();

    /// <summary>Named in every error.</summary>
    public string? File { get; init; }

    /// <summary>Shows where the picture is transparent.</summary>
    public Rgb Background { get; init; } = Rgb.White;

    /// <summary>Largest file in bytes; 32 MiB.</summary>
    public long MaxBytes { get; init; } = 32L << 20;

    /// <summary>Most pixels (width × height), read from the header before anything is decoded; 64 million. Pictures that
    /// cannot be read row by row (interlaced PNG, progressive JPEG, WebP) stop at 32 million, and no side has more than 65,535.</summary>
    public long MaxPixels { get; init; } = 64_000_000;

    /// <summary>Whether to turn the picture upright by its EXIF orientation.</summary>
    public bool Upright { get; init; } = true;
}
