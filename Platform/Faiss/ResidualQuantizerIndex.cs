using Recsys.Faiss.Native;

namespace Recsys.Faiss;

/// <summary>
/// Residual quantization (Chen, Guan, Wang 2010): each level codes what the levels before left over; encoding keeps the best
/// <see cref="Beam"/> partial codes instead of one. Searches compare queries with the reconstructions.
/// </summary>
public sealed class ResidualQuantizerIndex : QuantizerIndex
{
    /// <summary>Widest beam.</summary>
    public const int MostBeam = 1024;

    /// <summary>Most codebook entries over all levels.</summary>
    public const int MostEntries = 65_536;

    /// <param name="levels">1 to 64.</param>
    /// <param name="bits">Bits of a code, 1 to 12.</param>
    /// <param name="beam">Partial codes kept in training and encoding, 1 to <see cref="MostBeam"/>; FAISS's default is 5.</param>
    /// <exception cref="FaissException">A number out of its range.</exception>
    public ResidualQuantizerIndex(int dim, int levels, int bits = 8, int beam = 5, Metric metric = Metric.L2)
        : base(New(Specify(dim, levels, bits, beam, metric), "residual quantizer"))
    {
    }

    internal ResidualQuantizerIndex(IndexHandle handle)
        : base(handle)
    {
    }

    public override string Description => $"RQ{CodesPerVector}x{Bits}";

    /// <summary>Partial codes kept while encoding; a wider beam finds codes nearer to the vector and takes proportionally longer.</summary>
    /// <exception cref="FaissException">Outside 1 to <see cref="MostBeam"/>.</exception>
    public int Beam
    {
        get => (int)Info.Beam;
        set => Set(IndexParameter.Beam, value, MostBeam, "beam");
    }

    private static IndexSpec Specify(int dim, int levels, int bits, int beam, Metric metric)
    {
        Require(levels is >= 1 and <= 64, $"residual quantizer: {levels} levels; 1 to 64 are possible");
        Require(bits is >= 1 and <= 12, $"residual quantizer: {bits} bits a code; 1 to 12 are possible");
        Require(levels << bits <= MostEntries, $"residual quantizer: {levels} levels of {1 << bits} entries; {MostEntries:N0} are the most in all");
        Require(beam is >= 1 and <= MostBeam, $"residual quantizer: beam {beam} must be between 1 and {MostBeam:N0}");
        return new IndexSpec { Kind = IndexKind.Residual, Dim = dim, InnerProduct = Code(metric), Parts = levels, Bits = bits, Beam = beam };
    }
}
