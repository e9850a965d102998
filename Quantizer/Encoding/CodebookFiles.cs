using Recsys.Catalog;
using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Encoding;

/// <summary>A codebook as the two files of a model's folder.</summary>
internal static class CodebookFiles
{
    private const int CurrentFormat = 2;

    /// <summary>All that is not a tensor.</summary>
    /// <param name="Sizes">[levels] codes at each level.</param>
    /// <param name="Hidden">RQ-VAE: widths of the encoder's hidden layers.</param>
    /// <param name="LatentDim">RQ-VAE: values of the quantised latent.</param>
    private sealed record Config(
        int Format, QuantizerKind Kind, int[] Sizes, IReadOnlyList<Part> Fusion, IReadOnlyList<int>? Hidden = null, int? LatentDim = null)
    {
        public void Check(Faults faults)
        {
            bool rqVae = Kind == QuantizerKind.RqVae;
            faults.Check(Format == CurrentFormat, "format", Format, $"{CurrentFormat}");
            faults.Range("levels", Sizes.Length, 1, SemanticId.MaxLevels);
            faults.Check(Sizes.All(size => size is >= 1 and <= 65_536), "sizes", string.Join(", ", Sizes), "1 to 65536 codes a level");
            faults.Check(
                Fusion.Count > 0 && Fusion.All(Part.Holds), "fusion", $"{Fusion.Count} parts", "named parts with numbers in range");
            faults.Range("latent_dim", LatentDim ?? (rqVae ? 0 : 1), 1, 1_000_000);
            faults.Check(
                Hidden?.All(width => width is >= 1 and <= 1_000_000) ?? !rqVae, "hidden", Hidden is null ? null : string.Join(", ", Hidden),
                "widths from 1 to 1000000");
        }
    }

    /// <summary>A <see cref="FusionPart"/> without its mean, which lies with the tensors.</summary>
    private sealed record Part(string Name, int Dim, double Weight, bool KeepLength, float Scale, string? Space = null)
    {
        public static bool Holds(Part? part) => part is { Name: not "", Dim: >= 1 and <= 1_000_000 } && double.IsFinite(part.Weight)
            && float.IsFinite(part.Scale);
    }

    public static void Save(Codebook codebook, string folder)
    {
        using var scope = NewDisposeScope();
        var fusion = codebook.Fusion.Parts;
        var tensors = codebook.Model.state_dict().Select(t => (t.Key, t.Value))
            .Concat(fusion.Select(part => (MeanOf(part.Name), tensor(part.Mean)))).ToDictionary();
        var rqVae = codebook.Model as RqVae;
        var kind = rqVae is null ? QuantizerKind.ResidualKMeans : QuantizerKind.RqVae;
        var config = new Config(
            CurrentFormat, kind, [.. codebook.Sizes],
            [.. fusion.Select(p => new Part(p.Name, p.Dim, p.Weight, p.KeepLength, p.Scale, p.Space))], rqVae?.Hidden, rqVae?.LatentDim);
        ModelFiles.Save(folder, config, tensors, Json.Files);
    }

    /// <exception cref="CatalogException">DataLoss: a file is missing, damaged, or does not fit the other.</exception>
    public static Codebook Load(string folder) => ModelFiles.Load<Config, Codebook>(
        folder, Json.Files, config => Faults.Of(config.Check), CatalogException.Damaged, (config, tensors) =>
        {
            var fusion = new Fusion(
                [.. config.Fusion.Select(p => new FusionPart(
                    p.Name, p.Dim, p.Weight, p.KeepLength, tensors.Take(MeanOf(p.Name), ScalarType.Float32, p.Dim).data<float>().ToArray(),
                    p.Scale, p.Space))]);
            QuantizerModel model = config.Kind == QuantizerKind.RqVae
                ? new RqVae(fusion.Dim, config.Hidden!, config.LatentDim!.Value, config.Sizes)
                : new ResidualCodebooks(config.Sizes, fusion.Dim);
            model.With(tensors).eval();
            return new Codebook(fusion, model);
        });

    private static string MeanOf(string part) => $"fusion.{part}.mean";
}
