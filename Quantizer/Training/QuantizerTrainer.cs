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
    /// <exception cref="CatalogException">Options out of range (all at once), fewer than two items, values that are not finite, or
    /// fewer values than parts. FailedPrecondition: the codebook has collapsed (<see cref="QuantizerOptions.MinPerplexity"/>).</exception>
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

        var sizes = options.LevelSizes(n);
        CheckParts(options, sizes.Length, input.Dim);
        using var scope = NewDisposeScope();
        var x = Tensors.Copy(rows, n, input.Dim).to(Devices.Of(device));
        var codebook = new Codebook(input.Fusion, Model(x, sizes, options, seed, progress, ranks, cancel), options.Beam);
        try
        {
            if (options.Kind.IsTrained() && options.MinPerplexity > 0)
            {
                CollapseCheck.Check(codebook, rows, options.MinPerplexity);
            }

            return codebook;
        }
        catch
        {
            codebook.Dispose();
            throw;
        }
    }

    private static QuantizerModel Model(
        Tensor x, int[] sizes, QuantizerOptions options, long seed, IProgress<StageProgress>? progress, Ranks ranks,
        CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        int dim = (int)x.shape[1];
        Action<int> levelDone = level => progress?.Report(new StageProgress(Stage, level + 1, sizes.Length));
        switch (options.Kind)
        {
            case QuantizerKind.ResidualKMeans:
                return Fitted(new ResidualCodebooks(sizes, dim), x, model =>
                {
                    KMeansTrainer.Fit(model, x, options, seed, levelDone, ranks, cancel);
                    if (options.Beam > 1)
                    {
                        BeamRefinement.Fit(model, x, options.Beam, seed, ranks, cancel);
                    }
                });
            case QuantizerKind.Product:
                return Fitted(new ProductCodebooks(sizes, dim), x, model => KMeansTrainer.Fit(
                    model, x, options, seed, levelDone, ranks, cancel));
            case QuantizerKind.OptimisedProduct:
                return Fitted(new RotatedCodebooks(sizes, dim), x, model => OpqTrainer.Fit(
                    model, x, options, seed, levelDone, ranks, cancel));
            case QuantizerKind.Hyperplanes or QuantizerKind.Random:
                QuantizerModel drawn = options.Kind == QuantizerKind.Random
                    ? UntrainedCodes.DrawHash(x, sizes, seed)
                    : UntrainedCodes.DrawHyperplanes(x, sizes, seed);
                ranks.Broadcast(drawn.state_dict().Values);
                levelDone(sizes.Length - 1);
                return drawn;
            default:
                return AutoencoderTrainer.Train(x, sizes, options, seed, progress, ranks, cancel);
        }
    }

    private static T Fitted<T>(T model, Tensor x, Action<T> fit)
        where T : QuantizerModel
    {
        try
        {
            model.MoveTo(x.device);
            fit(model);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static void CheckParts(QuantizerOptions options, int levels, int dim)
    {
        if (options.Kind is QuantizerKind.Product or QuantizerKind.OptimisedProduct && levels > dim)
        {
            throw CatalogException.Invalid(
                $"{options.Kind.Name()} cuts a vector into one part a level, but {levels} levels are more than the {dim} fused values. "
                + "Take fewer levels, bring longer embeddings, or take another kind.");
        }
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
