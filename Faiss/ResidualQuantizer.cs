using Recsys.Faiss.Native;
using static Recsys.Faiss.Native.NativeMethods;

namespace Recsys.Faiss;

/// <summary>Settings of <see cref="ResidualQuantizer.Train"/>; the defaults are FAISS's.</summary>
public sealed record ResidualQuantizerOptions
{
    /// <summary>Candidates kept per row while training; memory is n · beam · dim · 8 bytes.</summary>
    public int MaxBeam { get; init; } = 5;

    /// <summary>k-means iterations per step of its progressive dimensions.</summary>
    public int Iterations { get; init; } = 10;

    /// <summary>Same seed, data, options and number of threads give the same bytes on one machine.</summary>
    public int Seed { get; init; } = 1234;
}

/// <summary>
/// FAISS's residual quantizer: a vector is the sum of one entry of each level's codebook, chosen by beam search. With beam 1 the choice is
/// greedy; with more, a row's first code need not be its nearest entry, so codes to be compared must come from one beam.
/// Encoding may run on several threads at once.
/// </summary>
public sealed class ResidualQuantizer : IDisposable
{
    private const int MaxBits = 16, MaxLevels = 64, MaxBeam = 1024;
    private readonly int[] _bits;
    private readonly QuantizerHandle _handle;

    private ResidualQuantizer(int dim, int[] bits, nint handle) => (Dim, _bits, _handle) = (dim, bits, new QuantizerHandle(handle));

    public int Dim { get; }

    public int Levels => _bits.Length;

    /// <summary>Bits of a code at each level: the level's codebook has 2^bits entries.</summary>
    public IReadOnlyList<int> Bits => _bits;

    /// <summary>Learns codebooks from <paramref name="data"/>, row-major [n, dim], level by level.</summary>
    /// <param name="bits">Per level 1 to 16; n must reach the largest 2^bits.</param>
    /// <exception cref="FaissException">A number out of range, too few rows, a value that is not finite or beyond ±1e15.</exception>
    public static unsafe ResidualQuantizer Train(
        ReadOnlySpan<float> data, int dim, int[] bits, ResidualQuantizerOptions? options = null)
    {
        options ??= new ResidualQuantizerOptions();
        CheckShape(dim, bits);
        CheckBeam(options.MaxBeam);
        Rows.Range("residual quantizer: the number of iterations", options.Iterations, 1, int.MaxValue, "10 are usual");
        int n = Rows.Count(data, dim, "residual quantizer: training data");
        int entries = 1 << bits.Max();
        Rows.Range("residual quantizer: the number of training rows", n, entries, int.MaxValue, "pass a row for each entry");
        fixed (float* x = data)
        fixed (int* b = bits)
        {
            int status = rf_rq_train(dim, b, bits.Length, x, n, options.MaxBeam, options.Iterations, options.Seed, out nint handle);
            Check(status, "residual quantizer: training");
            return new ResidualQuantizer(dim, [.. bits], handle);
        }
    }

    /// <summary>Takes given codebooks, [sum of 2^bits, dim], one level after the other, as <see cref="Codebooks"/> gives them.</summary>
    /// <exception cref="FaissException">A number out of range, a length that does not fit, a value not finite or beyond ±1e15.</exception>
    public static unsafe ResidualQuantizer FromCodebooks(ReadOnlySpan<float> codebooks, int dim, int[] bits)
    {
        CheckShape(dim, bits);
        int rows = Rows.Count(codebooks, dim, "residual quantizer: codebooks");
        long entries = Entries(bits);
        Rows.Range("residual quantizer: the rows of all codebooks", rows, entries, entries, "pass 2^bits rows for each level");
        fixed (float* c = codebooks)
        fixed (int* b = bits)
        {
            Check(rf_rq_new(dim, b, bits.Length, c, out nint handle), "residual quantizer");
            return new ResidualQuantizer(dim, [.. bits], handle);
        }
    }

    /// <summary>A copy of the codebooks, row-major [sum of 2^bits, dim], one level after the other.</summary>
    public unsafe float[] Codebooks()
    {
        var codebooks = Rows.Allocate<float>(Entries(_bits), Dim, "residual quantizer: codebooks");
        fixed (float* c = codebooks)
        {
            Check(rf_rq_codebooks(_handle, c), "residual quantizer: codebooks");
        }

        return codebooks;
    }

    /// <summary>Codes of the rows <paramref name="x"/> [n, dim], row-major [n, levels].</summary>
    /// <param name="beam">Candidates kept after each level, 1 to 1024; 1 is greedy.</param>
    public unsafe int[] Encode(ReadOnlySpan<float> x, int beam)
    {
        CheckBeam(beam);
        int n = Rows.Count(x, Dim, "residual quantizer: rows to encode");
        var codes = Rows.Allocate<int>(n, Levels, "residual quantizer: codes");
        fixed (float* rows = x)
        fixed (int* c = codes)
        {
            Check(rf_rq_encode(_handle, rows, n, beam, c), "residual quantizer: encoding");
        }

        return codes;
    }

    public void Dispose() => _handle.Dispose();

    private static void CheckShape(int dim, int[] bits)
    {
        Rows.Dim(dim);
        Rows.Range("residual quantizer: the number of levels", bits.Length, 1, MaxLevels, "3 or 4 are usual");
        for (int level = 0; level < bits.Length; level++)
        {
            Rows.Range($"residual quantizer: bits of level {level}", bits[level], 1, MaxBits, "8 bits make 256 entries");
        }

        Rows.Range("residual quantizer: the values of all codebooks", Entries(bits) * dim, 1, Array.MaxLength, "take fewer bits or levels");
    }

    private static void CheckBeam(int beam) => Rows.Range("residual quantizer: the beam", beam, 1, MaxBeam, "1 is greedy, 5 is usual");

    private static long Entries(int[] bits) => bits.Sum(b => 1L << b);
}
