using Recsys.Catalog;
using Recsys.Quantizer.Encoding;
using Recsys.Quantizer.Training;

namespace Recsys.Quantizer.Alignment;

/// <summary>
/// Takes a fusion over for vectors that were fitted anew, whose basis may be another: singular vectors are unique only up to signs, and
/// up to a rotation where singular values are close. Each part is turned to where the items' codes say that they are, which is the
/// rotation with which the codes describe them best.
/// </summary>
internal static class FusionAlignment
{
    // What an owner brings has no space that tells whether it is of another basis: then a rotation must gain far more than it would by
    // chance, else the vectors are taken as they are.
    private const double BroughtGain = 0.8;

    /// <param name="before">Of the version whose codes are followed.</param>
    /// <param name="embeddings">One for each part.</param>
    /// <param name="known">Items that had codes.</param>
    /// <param name="reconstruction">[known × before.Dim] what their codes stand for.</param>
    public static Fusion Of(Fusion before, IReadOnlyList<EmbeddingMatrix> embeddings, int[] known, float[] reconstruction)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var targets = Tensors.Copy(reconstruction, known.Length, before.Dim);
        var (parts, from) = (new List<FusionPart>(), 0);
        foreach (var part in before.Parts)
        {
            var embedding = embeddings.Single(embedding => embedding.Name == part.Name);
            parts.Add(part.Space is not null && part.Space == embedding.Space
                ? part
                : part with { Space = embedding.Space, Rotation = Turn(part, embedding, known, targets.narrow(1, from, part.Dim)) });
            from += part.Dim;
        }

        return new Fusion(parts);
    }

    /// <param name="targets">[known, part.Dim]</param>
    private static float[]? Turn(FusionPart part, EmbeddingMatrix embedding, int[] known, Tensor targets)
    {
        int[] rows = [.. Enumerable.Range(0, known.Length).Where(row => embedding.Present[known[row]])];
        if (rows.Length <= part.Dim)
        {
            return part.Rotation; // too few to tell a rotation by
        }

        var bare = new Fusion([part with { Mean = new float[part.Dim], Scale = 1, Weight = 1, Rotation = null }]).Apply([embedding]);
        var vectors = Tensors.Copy(bare.Data, bare.Count, part.Dim).index_select(0, Indexes(rows.Select(row => known[row])));
        var y = (targets.index_select(0, Indexes(rows.Select(row => row))) / (part.Scale * part.Weight)) + tensor(part.Mean);
        var rotation = Procrustes.Rotation(vectors, y).to(ScalarType.Float32);
        if (part.Space is null && embedding.Space is null)
        {
            var taken = part.Rotation is { } last ? vectors.matmul(tensor(last, [part.Dim, part.Dim])) : vectors;
            if (Distance(vectors.matmul(rotation), y) > BroughtGain * Distance(taken, y))
            {
                return part.Rotation;
            }
        }

        using var values = rotation.contiguous().data<float>();
        return values.ToArray();
    }

    private static double Distance(Tensor x, Tensor y) => (x - y).pow(2).mean().ToDouble();

    private static Tensor Indexes(IEnumerable<int> rows) => tensor(rows.Select(row => (long)row).ToArray());
}
