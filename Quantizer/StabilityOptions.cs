using Recsys.Catalog;

namespace Recsys.Quantizer;

/// <summary>How far a rebuild keeps to the codes of the version that is active.</summary>
public sealed record StabilityOptions
{
    /// <summary>Trains from nothing, whatever the active version has.</summary>
    public bool Fresh { get; init; }

    /// <summary>
    /// An item keeps its codes while their squared error is above that of the nearest codes by no more than this multiple of the mean
    /// error, 0 to 1,000. 0: only codes that are as good.
    /// </summary>
    public double Keep { get; init; } = 0.15;

    /// <summary>The codebook is kept until its error has grown by more than this share since it was trained from nothing, 0 to 10. Then
    /// it is trained anew, and its codes are numbered after the old ones.</summary>
    public double MaxErrorGrowth { get; init; } = 0.2;

    internal void Check(Faults faults)
    {
        faults.Range("quantizer.stability.keep", Keep, 0, 1000);
        faults.Range("quantizer.stability.max_error_growth", MaxErrorGrowth, 0, 10);
    }
}
