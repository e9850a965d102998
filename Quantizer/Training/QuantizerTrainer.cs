using Recsys.Catalog;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Training;

/// <summary>Fused embeddings to a codebook.</summary>
public static class QuantizerTrainer
{
    /// <summary>The stage's name in progress reports.</summary>
    public const string Stage = "quantizer";

    /// <param name="input">A catalogue's fused embeddings; items without any embedding are left out of the training.</param>
    /// <param name="seed">Same seed, input and options give the same codebook, byte for byte on a CPU.</param>
    /// <param name="device">Where to train, and where the codebook stays: cpu, cuda or cuda:N.</param>
    /// <param name="ranks">The processes that train together, all on the same input; null: this one alone.</param>
    /// <exception cref="CatalogException">Options out of range (all at once), fewer than two items, or values that are not
    /// finite.</exception>
    public static Codebook Train(
        FusedEmbeddings input, QuantizerOptions options, long seed, IProgress<StageProgress>? progress, CancellationToken cancel,
        string device = "cpu", Ranks? ranks = null)
    {
        ranks ??= Ranks.Alone;
        options.Validate();
        var rows = PresentRows(input);
        int n = rows.Length / input.Dim;
        if (n < 2)
        {
            throw CatalogException.Invalid(
                $"{n} items have an embedding; a codebook needs at least 2. Bring embeddings or make default ones (recsys embed).");
        }

        var sizes = Enumerable.Repeat(Math.Min(options.CodebookSize, n), options.Levels).ToArray();
        using var scope = NewDisposeScope();
        var x = Tensors.Copy(rows, n, input.Dim).to(Devices.Of(device));
        QuantizerModel model = options.Kind == QuantizerKind.RqVae
            ? RqVaeTrainer.Train(x, sizes, options, seed, progress, ranks, cancel)
            : KMeans(x, sizes, options, seed, progress, ranks, cancel);
        return new Codebook(input.Fusion, model);
    }

    private static ResidualCodebooks KMeans(
        Tensor x, int[] sizes, QuantizerOptions options, long seed, IProgress<StageProgress>? progress, Ranks ranks,
        CancellationToken cancel)
    {
        var codebooks = new ResidualCodebooks(sizes, (int)x.shape[1]);
        codebooks.MoveTo(x.device);
        ResidualKMeansTrainer.Fit(
            codebooks, x, options, seed, level => progress?.Report(new StageProgress(Stage, level + 1, sizes.Length)), ranks, cancel);
        return codebooks;
    }

    private static float[] PresentRows(FusedEmbeddings input)
    {
        int at = Array.FindIndex(input.Data, value => !float.IsFinite(value));
        if (at >= 0)
        {
            throw CatalogException.Invalid(
                $"The fused embedding of item {at / input.Dim} has {input.Data[at]}; every value must be finite.");
        }

        if (!input.Present.Contains(false))
        {
            return input.Data;
        }

        var rows = Enumerable.Range(0, input.Count).Where(item => input.Present[item]).ToArray();
        var data = new float[(long)rows.Length * input.Dim];
        for (int i = 0; i < rows.Length; i++)
        {
            input.Data.AsSpan(rows[i] * input.Dim, input.Dim).CopyTo(data.AsSpan(i * input.Dim));
        }

        return data;
    }
}
