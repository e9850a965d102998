
namespace Recsys.Diffusion.Service;

/// <summary>One picture that is asked for.</summary>
/// <param name="Id">A semantic ID, whether an item has it or not; with fewer codes than levels only the coarse ones condition.</param>
/// <param name="Seed">Same ID, seed and options, same picture: byte for byte in an equal call, to one grey level a value where
/// other pictures are drawn with it, as matrix products round otherwise for other batch sizes.</param>
public sealed record PaintRequest(SemanticId Id, long Seed);

/// <summary>How pictures are drawn; 0 means the model's own.</summary>
public sealed record PaintOptions
{
    /// <summary>Side in pixels: 0, or 8 to 1024 (the model's picture, resized).</summary>
    public int Size { get; init; }

    /// <summary>Solver steps: 0, or 1 to 1000.</summary>
    public int Steps { get; init; }

    /// <summary>Guidance scale: 0, or above 0 and at most 20.</summary>
    public double Guidance { get; init; }

    /// <exception cref="CatalogException">InvalidArgument, with every value that is out of range.</exception>
    public PaintOptions Validate()
    {
        Faults.ThrowIfAny("Generate", faults =>
        {
            faults.Check(Size is 0 or (>= 8 and <= 1024), "size", Size, "0 (the model's own) and 8 to 1024");
            faults.Range("steps", Steps, 0, 1000);
            faults.Range("guidance", Guidance, 0, 20);
        });
        return this;
    }
}

/// <summary>Solver steps done, over all pictures of a call.</summary>
public readonly record struct PaintProgress(int Step, int Steps);

/// <param name="Png">sRGB; its text chunks name recipe, version, semantic ID, seed, steps and guidance.</param>
public sealed record Painting(byte[] Png, SemanticId Id, long Seed);
