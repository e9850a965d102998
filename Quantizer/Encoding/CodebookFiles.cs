using System.Numerics;
using Recsys.Catalog;
using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Encoding;

/// <summary>A codebook as the two files of a model's folder.</summary>
internal static class CodebookFiles
{
    private const int CurrentFormat = 2, MaxWidth = 1_000_000;

    /// <summary>All that is not a tensor.</summary>
    /// <param name="Sizes">[levels] codes at each level.</param>
    /// <param name="Hidden">Kinds with an autoencoder: widths of the encoder's hidden layers.</param>
    /// <param name="LatentDim">RQ-VAE and VQ-VAE: values of the quantised latent.</param>
    /// <param name="Values">FSQ: by level, the numbers of values that the latent is rounded to.</param>
    /// <param name="Beam">Null: 1.</param>
    private sealed record Config(
        int Format, QuantizerKind Kind, int[] Sizes, IReadOnlyList<Part> Fusion, IReadOnlyList<int>? Hidden = null, int? LatentDim = null,
        IReadOnlyList<IReadOnlyList<int>>? Values = null, int? Beam = null)
    {
        public void Check(Faults faults)
        {
            faults.Check(Format == CurrentFormat, "format", Format, $"{CurrentFormat}");
            faults.Range("levels", Sizes.Length, 1, SemanticId.MaxLevels);
            faults.Check(Sizes.All(size => size is >= 1 and <= 65_536), "sizes", string.Join(", ", Sizes), "1 to 65536 codes a level");
            faults.Check(
                !Kind.HasBits() || Sizes.All(size => size >= 2 && BitOperations.IsPow2(size)), "sizes", string.Join(", ", Sizes),
                "powers of two");
            faults.Check(
                Fusion.Count > 0 && Fusion.All(Part.Holds), "fusion", $"{Fusion.Count} parts", "named parts with numbers in range");
            faults.Range("latent_dim", LatentDim ?? (HasVectors ? 0 : 1), Kind == QuantizerKind.VqVae ? Sizes.Length : 1, MaxWidth);
            faults.Check(
                Hidden?.All(width => width is >= 1 and <= MaxWidth) ?? !Kind.HasAutoencoder(), "hidden",
                Hidden is null ? null : string.Join(", ", Hidden), "widths from 1 to 1000000");
            faults.Check(
                Kind != QuantizerKind.FiniteScalar || (Values?.Select(Product).SequenceEqual(Sizes.Select(size => (long)size)) ?? false),
                "values", Values?.Count, "numbers whose products are the sizes");
            faults.Range("beam", Beam ?? 1, 1, 64);
        }

        private bool HasVectors => Kind is QuantizerKind.RqVae or QuantizerKind.VqVae;

        private static long Product(IReadOnlyList<int> level) =>
            level.Aggregate(1L, (product, count) => count is < 2 or > 65_536 || product > 65_536 ? 1 << 20 : product * count);
    }

    /// <summary>A <see cref="FusionPart"/> without its mean and rotation, which lie with the tensors.</summary>
    /// <param name="Rotated">Null: no.</param>
    private sealed record Part(
        string Name, int Dim, double Weight, bool KeepLength, float Scale, string? Space = null, bool? Rotated = null)
    {
        public static bool Holds(Part? part) => part is { Name: not "", Dim: >= 1 and <= MaxWidth } && double.IsFinite(part.Weight)
            && float.IsFinite(part.Scale);
    }

    public static void Save(Codebook codebook, string folder)
    {
        using var scope = NewDisposeScope();
        var fusion = codebook.Fusion.Parts;
        var tensors = codebook.Model.state_dict().Select(t => (t.Key, t.Value))
            .Concat(fusion.Select(part => (MeanOf(part.Name), tensor(part.Mean))))
            .Concat(fusion.Where(part => part.Rotation is not null)
                .Select(part => (RotationOf(part.Name), tensor(part.Rotation!, [part.Dim, part.Dim])))).ToDictionary();
        var config = new Config(
            CurrentFormat, codebook.Kind, [.. codebook.Sizes],
            [.. fusion.Select(p => new Part(
                p.Name, p.Dim, p.Weight, p.KeepLength, p.Scale, p.Space, p.Rotation is null ? null : true))],
            (codebook.Model as Autoencoder)?.Hidden, (codebook.Model as RqVae)?.LatentDim,
            codebook.Kind == QuantizerKind.FiniteScalar ? ((ScalarAutoencoder)codebook.Model).Values : null,
            codebook.Beam == 1 ? null : codebook.Beam);
        ModelFiles.Save(folder, config, tensors, Json.Files);
    }

    /// <exception cref="CatalogException">DataLoss: a file is missing, damaged, or does not fit the other.</exception>
    public static Codebook Load(string folder) => ModelFiles.Load<Config, Codebook>(
        folder, Json.Files, config => Faults.Of(config.Check), CatalogException.Damaged, (config, tensors) =>
        {
            var fusion = new Fusion(
                [.. config.Fusion.Select(p => new FusionPart(
                    p.Name, p.Dim, p.Weight, p.KeepLength, tensors.Take(MeanOf(p.Name), ScalarType.Float32, p.Dim).data<float>().ToArray(),
                    p.Scale, p.Space, p.Rotated == true
                        ? tensors.Take(RotationOf(p.Name), ScalarType.Float32, p.Dim, p.Dim).data<float>().ToArray()
                        : null))]);
            var model = Empty(config, fusion.Dim);
            model.With(tensors).eval();
            return new Codebook(fusion, model, config.Beam ?? 1);
        });

    private static QuantizerModel Empty(Config config, int dim) => config.Kind switch
    {
        QuantizerKind.ResidualKMeans => new ResidualCodebooks(config.Sizes, dim),
        QuantizerKind.RqVae => new RqVae(dim, config.Hidden!, config.LatentDim!.Value, config.Sizes),
        QuantizerKind.VqVae => new RqVae(dim, config.Hidden!, config.LatentDim!.Value, config.Sizes, product: true),
        QuantizerKind.Product => new ProductCodebooks(config.Sizes, dim),
        QuantizerKind.OptimisedProduct => new RotatedCodebooks(config.Sizes, dim),
        QuantizerKind.FiniteScalar => new ScalarAutoencoder(dim, config.Hidden!, config.Values!, signs: false),
        QuantizerKind.LookupFree => new ScalarAutoencoder(dim, config.Hidden!, ScalarAutoencoder.Bits(config.Sizes), signs: true),
        QuantizerKind.Hyperplanes => new Hyperplanes(dim, config.Sizes),
        _ => new RandomCodes(dim, config.Sizes),
    };

    private static string MeanOf(string part) => $"fusion.{part}.mean";

    private static string RotationOf(string part) => $"fusion.{part}.rotation";
}
