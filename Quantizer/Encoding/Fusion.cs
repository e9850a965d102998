using Recsys.Catalog;

namespace Recsys.Quantizer.Encoding;

/// <summary>One embedding's place in the fused vector: (v · Rotation − Mean) · Scale · Weight.</summary>
/// <param name="KeepLength">False: v is scaled to unit length first.</param>
/// <param name="Mean">[Dim]</param>
/// <param name="Scale">Brings the mean squared length, after centring, to 1.</param>
/// <param name="Space">Of the vectors it was fitted on; null where their owner brought them.</param>
/// <param name="Rotation">[Dim × Dim], row-major, orthogonal: turns vectors of another night's basis into that of the mean; null: they are
/// in it.</param>
public sealed record FusionPart(
    string Name, int Dim, double Weight, bool KeepLength, float[] Mean, float Scale, string? Space = null, float[]? Rotation = null);

/// <summary>
/// Puts an item's named embeddings into one vector: each centred and scaled to the same mean length, weighted, concatenated.
/// A missing one is zero, that is, its mean, and those present grow so that the expected length stays. Saved with the codebook, so
/// that the server fuses exactly as training did.
/// </summary>
public sealed class Fusion
{
    /// <summary>How many times as long as the catalogue's an item's fused vector may be: codes of what is beyond mean nothing.</summary>
    private const double MaxTimes = 100;

    private readonly double _squaredWeights;

    public Fusion(IReadOnlyList<FusionPart> parts)
    {
        Parts = parts;
        Dim = parts.Sum(p => p.Dim);
        _squaredWeights = parts.Sum(p => p.Weight * p.Weight);
    }

    /// <summary>In ordinal order of their names.</summary>
    public IReadOnlyList<FusionPart> Parts { get; }

    /// <summary>Values of a fused vector.</summary>
    public int Dim { get; }

    /// <summary>Learns means and scales from the items that have each embedding.</summary>
    /// <exception cref="CatalogException">No embedding, a name twice, counts that differ, or an embedding that no item has.</exception>
    public static Fusion Fit(IReadOnlyList<EmbeddingMatrix> embeddings, FusionOptions options)
    {
        if (embeddings.Count == 0)
        {
            throw CatalogException.Invalid("No embeddings to fuse: bring embeddings/*.npy or make default ones (recsys embed).");
        }

        string names = string.Join(", ", embeddings.Select(e => $"{e.Name} ({e.Count} items)"));
        if (embeddings.DistinctBy(e => e.Name, StringComparer.Ordinal).Count() != embeddings.Count
            || embeddings.Any(e => e.Count != embeddings[0].Count))
        {
            throw CatalogException.Invalid(
                $"Embeddings to fuse need distinct names and one row per item of the same catalogue; got {names}.");
        }

        return new Fusion([.. embeddings.OrderBy(e => e.Name, StringComparer.Ordinal).Select(e => FitPart(e, options))]);
    }

    private static FusionPart FitPart(EmbeddingMatrix embedding, FusionOptions options)
    {
        bool keepLength = options.KeepLength.Contains(embedding.Name, StringComparer.Ordinal);
        var sum = new double[embedding.Dim];
        var unit = new float[embedding.Dim];
        long count = 0;
        double squares = 0;
        for (int item = 0; item < embedding.Count; item++)
        {
            if (embedding.Present[item] && EmbeddingPlace.TryNormalise(embedding.Row(item), keepLength, unit))
            {
                count++;
                for (int i = 0; i < unit.Length; i++)
                {
                    sum[i] += unit[i];
                    squares += (double)unit[i] * unit[i];
                }
            }
        }

        if (count == 0)
        {
            throw CatalogException.Invalid(
                $"Embedding '{embedding.Name}' holds no vector that is not zero. Remove it, or bring one that has some.");
        }

        var mean = Array.ConvertAll(sum, s => (float)(s / count));
        double variance = (squares / count) - mean.Sum(m => (double)m * m);
        float scale = variance > 1e-12 ? (float)(1 / Math.Sqrt(variance)) : 1; // one vector for all: nothing to scale
        return new FusionPart(embedding.Name, embedding.Dim, options.WeightOf(embedding.Name), keepLength, mean, scale, embedding.Space);
    }

    /// <summary>Fuses the embeddings of a whole catalogue; those it was not fitted on are refused.</summary>
    public FusedEmbeddings Apply(IReadOnlyList<EmbeddingMatrix> embeddings)
    {
        int count = embeddings.Count == 0 ? 0 : embeddings[0].Count;
        var parts = embeddings.Select(e => (Embedding: e, Part: IndexOf(e.Name, e.Dim))).OrderBy(e => e.Part).ToArray();
        if ((long)count * Dim > Array.MaxLength)
        {
            throw new CatalogException(
                Fault.ResourceExhausted,
                $"{count} items of {Dim} fused values are {(long)count * Dim} values; one array holds {Array.MaxLength}. Bring smaller "
                + "embeddings, or leave one out.");
        }

        var (data, present) = (new float[(long)count * Dim], new bool[count]);
        Parallel.For(0, count, item =>
        {
            var row = data.AsSpan(item * Dim, Dim);
            double squared = 0;
            foreach (var (embedding, part) in parts)
            {
                squared += embedding.Present[item] ? Place(part, embedding.Row(item), row) : 0;
            }

            present[item] = squared > 0;
            Grow(row, squared);
        });
        return new FusedEmbeddings(this, data, present);
    }

    /// <summary>Fuses one item's named vectors.</summary>
    /// <returns>[Dim]</returns>
    /// <exception cref="CatalogException">No usable vector, an unknown name, a wrong dimension, or a value that is not finite.</exception>
    public float[] Fuse(string itemId, IEnumerable<KeyValuePair<string, ReadOnlyMemory<float>>> vectors)
    {
        var row = new float[Dim];
        double squared = 0;
        foreach (var (name, vector) in vectors)
        {
            squared += Add(itemId, name, vector.Span, row);
        }

        Complete(itemId, squared, row);
        return row;
    }

    /// <summary>Places one named vector of an item into its row; behind the last of them comes <see cref="Complete"/>.</summary>
    /// <param name="row">[Dim], zeros where nothing was placed.</param>
    /// <returns>The squared weight that was placed; 0 for a vector of zeros, which counts as missing.</returns>
    /// <exception cref="CatalogException">An unknown name, a wrong dimension, or a value that is not finite.</exception>
    internal double Add(string itemId, string name, ReadOnlySpan<float> vector, Span<float> row)
    {
        int part = IndexOf(name, vector.Length, itemId);
        foreach (float value in vector)
        {
            if (!float.IsFinite(value))
            {
                throw CatalogException.Invalid(
                    $"Item '{itemId}': embedding '{name}' has {value} at position {vector.IndexOf(value)}. Every value must be finite; "
                    + "leave the embedding out if it is not known.");
            }
        }

        return Place(part, vector, row);
    }

    /// <summary>Brings a row whose vectors are placed to its length.</summary>
    /// <param name="squared">The sum of what <see cref="Add"/> returned.</param>
    /// <exception cref="CatalogException">Nothing was placed, or it is too large.</exception>
    internal void Complete(string itemId, double squared, Span<float> row)
    {
        if (squared == 0)
        {
            throw CatalogException.Invalid($"Item '{itemId}' has no embedding that is not zero. Send at least one of: {Expected()}.");
        }

        Grow(row, squared);
        double length = 0;
        foreach (float value in row)
        {
            length += (double)value * value;
        }

        double times = Math.Sqrt(length / _squaredWeights); // of the catalogue's, whose mean square is the weights'
        if (!(times <= MaxTimes))
        {
            throw CatalogException.Invalid(
                $"Item '{itemId}': its embeddings are {times:G3} times as long as the catalogue's; allowed are {MaxTimes}. Send what its "
                + "encoder made, on its scale.");
        }
    }

    /// <summary>The named vectors that a fused one is made of: the way back, but for the lengths that fusing took away.</summary>
    /// <param name="row">[Dim]</param>
    /// <returns>By name; those of weight 0 are not in it.</returns>
    public IEnumerable<(string Name, float[] Vector)> Split(ReadOnlyMemory<float> row)
    {
        int from = 0;
        foreach (var part in Parts)
        {
            var vector = row.Slice(from, part.Dim).ToArray();
            from += part.Dim;
            if (part.Weight != 0)
            {
                float factor = (float)(1 / (part.Scale * part.Weight));
                for (int i = 0; i < vector.Length; i++)
                {
                    vector[i] = (vector[i] * factor) + part.Mean[i];
                }

                if (part.Rotation is { } rotation)
                {
                    Rotate(vector, rotation, back: true);
                }

                yield return (part.Name, vector);
            }
        }
    }

    /// <summary>Refuses a vector of another encoder, or of another fit, than the codebook was trained on.</summary>
    /// <param name="space">Of the vector; empty where the caller does not say.</param>
    /// <exception cref="CatalogException">FailedPrecondition, with both spaces.</exception>
    public void RequireSpace(string itemId, string name, string space)
    {
        if (space.Length > 0 && Parts.FirstOrDefault(part => part.Name == name) is { } part && part.Space != space)
        {
            throw CatalogException.Precondition(
                $"Item '{itemId}': embedding '{name}' is of the space '{space}'; this version was trained on "
                + $"{(part.Space is null ? "one that its owner brought" : $"'{part.Space}'")}. Codes would mean nothing. "
                + "Leave it out, encode with the encoders of the version, or rebuild.");
        }
    }

    private int IndexOf(string name, int dim, string? itemId = null)
    {
        string whose = itemId is null ? "" : $"Item '{itemId}': ";
        for (int part = 0; part < Parts.Count; part++)
        {
            if (Parts[part].Name == name)
            {
                return Parts[part].Dim == dim
                    ? part
                    : throw CatalogException.Invalid(
                        $"{whose}embedding '{name}' has {dim} values; this version's codebook was trained on {Parts[part].Dim}.");
            }
        }

        throw CatalogException.Invalid($"{whose}embedding '{name}' is unknown to this version's codebook; it knows {Expected()}.");
    }

    private string Expected() => string.Join(", ", Parts.Select(p => $"{p.Name} ({p.Dim} values)"));

    /// <returns>The squared weight that was placed; 0 for a zero vector, which counts as missing.</returns>
    private double Place(int index, ReadOnlySpan<float> vector, Span<float> row)
    {
        var part = Parts[index];
        int from = Parts.Take(index).Sum(p => p.Dim);
        var target = row.Slice(from, part.Dim);
        if (!EmbeddingPlace.TryNormalise(vector, part.KeepLength, target))
        {
            return 0;
        }

        if (part.Rotation is { } rotation)
        {
            Rotate(target, rotation);
        }

        float factor = (float)(part.Scale * part.Weight);
        for (int i = 0; i < target.Length; i++)
        {
            target[i] = (target[i] - part.Mean[i]) * factor;
        }

        return part.Weight * part.Weight;
    }

    /// <param name="back">By the transpose, which undoes an orthogonal rotation.</param>
    private static void Rotate(Span<float> row, float[] rotation, bool back = false)
    {
        var turned = new float[row.Length];
        for (int i = 0; i < row.Length; i++)
        {
            for (int j = 0; j < row.Length; j++)
            {
                turned[j] += row[i] * rotation[back ? (j * row.Length) + i : (i * row.Length) + j];
            }
        }

        turned.CopyTo(row);
    }

    private void Grow(Span<float> row, double squaredPresent)
    {
        if (squaredPresent == 0 || squaredPresent == _squaredWeights)
        {
            return;
        }

        float factor = (float)Math.Sqrt(_squaredWeights / squaredPresent);
        foreach (ref float value in row)
        {
            value *= factor;
        }
    }
}
