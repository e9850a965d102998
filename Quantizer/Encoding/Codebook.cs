using System.Runtime.InteropServices;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Quantizer.Models;
using Recsys.Torch.Kernels;

namespace Recsys.Quantizer.Encoding;

/// <summary>
/// A trained quantizer with the fusion that it was trained behind: everything needed to turn an item's named embeddings into codes.
/// Immutable; safe from any thread.
/// </summary>
/// <param name="model">Reads what the fusion gives; disposed with the codebook.</param>
/// <param name="beam">Of its encoding: codes that are compared must come from one beam, so it belongs to the codebook.</param>
public sealed class Codebook(Fusion fusion, QuantizerModel model, int beam = 1) : IVersionPart
{
    /// <summary>The part's name in a version, and its folder.</summary>
    public const string PartName = "codebook";

    // Blocks of an array are filled up to a multiple of this many rows, so that a row's result does not depend on how many others it comes
    // with: matrix products choose other kernels, and round otherwise, for odd sizes.
    private const int Grain = 64;
    private const int MaxRows = 8192;

    private readonly Lazy<ResidualCodes?> _settled = new(model.Settled);

    public Fusion Fusion { get; } = fusion;

    public QuantizerModel Model { get; } = model;

    /// <summary>How it makes codes.</summary>
    public QuantizerKind Kind => Model switch
    {
        ResidualCodebooks => QuantizerKind.ResidualKMeans,
        ProductCodebooks => QuantizerKind.Product,
        RotatedCodebooks => QuantizerKind.OptimisedProduct,
        RqVae vae => vae.Codebooks is ProductCodebooks ? QuantizerKind.VqVae : QuantizerKind.RqVae,
        ScalarAutoencoder scalar => scalar.Signs ? QuantizerKind.LookupFree : QuantizerKind.FiniteScalar,
        Hyperplanes => QuantizerKind.Hyperplanes,
        _ => QuantizerKind.Random,
    };

    /// <summary>Tuples of codes that encoding keeps from level to level.</summary>
    public int Beam { get; } = beam;

    /// <summary>[levels] codes at each level.</summary>
    public IReadOnlyList<int> Sizes => Model.Sizes;

    public int Levels => Model.Sizes.Count;

    /// <summary>The codes of n fused vectors, coarse to fine.</summary>
    /// <param name="x">[n × Fusion.Dim], row-major, finite.</param>
    /// <returns>[n × Levels]</returns>
    public ushort[] Encode(ReadOnlySpan<float> x, int n)
    {
        if (x.Length != (long)n * Fusion.Dim)
        {
            throw CatalogException.Invalid($"{x.Length} values are not {n} fused vectors of {Fusion.Dim}.");
        }

        if (Beam == 1 && Model is ResidualCodebooks && _settled.Value?.Nearest(x, n) is { } nearest)
        {
            return nearest;
        }

        return InBlocks(x, n, Levels, rows => _settled.Value is { } codes
            ? codes.Encode(Model.BeforeCodes(rows), Beam)
            : Array.ConvertAll(Values<long>(Model.Encode(rows, Beam)), code => (ushort)code));
    }

    /// <summary>The fused vectors that codes stand for.</summary>
    /// <param name="codes">[n × Levels], each below its level's size.</param>
    /// <returns>[n × Fusion.Dim]</returns>
    public float[] Reconstruct(ReadOnlySpan<ushort> codes, int n)
    {
        if (codes.Length != (long)n * Levels)
        {
            throw CatalogException.Invalid($"{codes.Length} codes are not {n} items of {Levels} levels.");
        }

        var indexes = new long[codes.Length]; // the index type of tensors
        for (int i = 0; i < codes.Length; i++)
        {
            indexes[i] = codes[i] < Sizes[i % Levels]
                ? codes[i]
                : throw CatalogException.Invalid($"Code {codes[i]} at level {i % Levels}; the codebook has {Sizes[i % Levels]}.");
        }

        return InBlocks<long, float>(indexes, n, Fusion.Dim, rows => Values<float>(Model.Decode(rows)));
    }

    /// <summary>How far what codes stand for is from vectors, squared, for each of their values.</summary>
    /// <param name="x">[n × Fusion.Dim]</param>
    /// <param name="codes">[n × Levels]</param>
    /// <returns>[n]</returns>
    internal double[] Errors(ReadOnlySpan<float> x, ReadOnlySpan<ushort> codes, int n)
    {
        if (Model is ResidualCodebooks residual && Model.Device.type == DeviceType.CPU)
        {
            return residual.Errors(x, codes, n);
        }

        var errors = new double[n];
        for (int from = 0; from < n; from += Grain)
        {
            int rows = Math.Min(Grain, n - from);
            float[] found = Reconstruct(codes.Slice(from * Levels, rows * Levels), rows);
            for (int row = 0; row < rows; row++)
            {
                errors[from + row] = SquaredDistance.PerDimension(
                    x.Slice((from + row) * Fusion.Dim, Fusion.Dim), found.AsSpan(row * Fusion.Dim, Fusion.Dim));
            }
        }

        return errors;
    }

    /// <summary>Codes, collision tokens and the report for a whole catalogue.</summary>
    public (SemanticId[] Ids, QuantizerReport Report) EncodeCatalogue(FusedEmbeddings fused)
    {
        var codes = Encode(fused.Data, fused.Count);
        var ids = CollisionTokens.Assign(codes, fused.Count, Levels);
        return (ids, QuantizerReport.Of(fused.Data, Reconstruct(codes, fused.Count), ids, Sizes));
    }

    /// <summary>This codebook after its model's vectors were changed in place; takes the place of this one, whose preparations for encoding
    /// are of the old vectors.</summary>
    internal Codebook Renewed()
    {
        LetGo();
        return new Codebook(Fusion, Model, Beam);
    }

    /// <summary>Writes its two files into a folder; equal codebooks give equal bytes.</summary>
    public void Save(string folder) => CodebookFiles.Save(this, folder);

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="device">Where it encodes: cpu, cuda or cuda:N.</param>
    /// <exception cref="CatalogException">DataLoss: a file is missing, damaged, or does not fit the other.</exception>
    public static Codebook Load(string folder, string device = "cpu")
    {
        var place = Devices.Of(device);
        var codebook = CodebookFiles.Load(folder);
        codebook.Model.MoveTo(place);
        return codebook;
    }

    /// <summary>Itself: codes do not depend on the table.</summary>
    public IVersionPart WithItems(ItemTable items) => this;

    public void Dispose()
    {
        LetGo();
        Model.Dispose();
    }

    private void LetGo()
    {
        if (_settled.IsValueCreated)
        {
            _settled.Value?.Dispose();
        }
    }

    private static T[] Values<T>(Tensor tensor)
        where T : unmanaged
    {
        using var dense = tensor.cpu().contiguous();
        return Tensors.Values<T>(dense).ToArray();
    }

    /// <param name="x">[n × width]</param>
    /// <param name="step">[rows, width] to [rows × outputs].</param>
    /// <returns>[n × outputs]</returns>
    private TOut[] InBlocks<TIn, TOut>(ReadOnlySpan<TIn> x, int n, int outputs, Func<Tensor, TOut[]> step)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        int width = x.Length / Math.Max(1, n);
        var type = typeof(TIn) == typeof(long) ? ScalarType.Int64 : ScalarType.Float32;
        var result = new TOut[(long)n * outputs];
        using var _ = no_grad();
        for (int from = 0; from < n; from += MaxRows)
        {
            using var scope = NewDisposeScope();
            int rows = Math.Min(MaxRows, n - from), padded = (rows + Grain - 1) / Grain * Grain;
            var block = empty([padded, width], type); // memory of its own: see Tensors.Copy
            var values = MemoryMarshal.Cast<byte, TIn>(block.bytes);
            x.Slice(from * width, rows * width).CopyTo(values);
            values[(rows * width)..].Clear();
            step(block.to(Model.Device)).AsSpan(0, rows * outputs).CopyTo(result.AsSpan(from * outputs));
        }

        return result;
    }
}
