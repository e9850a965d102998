using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Legs.Dense;

/// <summary>
/// From an item's embeddings, as their owner brings them, to the vector that a leg ranks it by: what the leg's training did to the
/// catalogue's, as one matrix and one offset for each. A missing embedding adds nothing, as in training.
/// </summary>
internal sealed class ContentProjection
{
    private const string Prefix = "projection.";

    private readonly IReadOnlyList<ProjectedPart> _parts;
    private readonly float[][] _weights; // [parts] of [part dim × dim], row-major
    private readonly float[][] _offsets; // [parts] of [dim]
    private readonly int _dim;

    private ContentProjection(IReadOnlyList<ProjectedPart> parts, float[][] weights, float[][] offsets)
    {
        (_parts, _weights, _offsets) = (parts, weights, offsets);
        _dim = offsets[0].Length;
    }

    /// <summary>The embeddings that it reads.</summary>
    public IReadOnlyList<ProjectedPart> Parts => _parts;

    /// <param name="features">What the leg has read, side by side, each by its factor.</param>
    /// <param name="weight">[dim, features] of its projection.</param>
    /// <returns>Null: it is not known how another item's embeddings come to be features.</returns>
    public static ContentProjection? Of(IReadOnlyList<(EmbeddingMatrix Part, float Factor)> features, Tensor weight)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (parts, weights, offsets) = (new List<ProjectedPart>(), new List<float[]>(), new List<float[]>());
        int from = 0;
        foreach (var (part, factor) in features)
        {
            if (part.Place is { } place)
            {
                var own = weight.narrow(1, from, part.Dim).transpose(0, 1).to(ScalarType.Float32).cpu() * (factor * place.Scale);
                parts.Add(new ProjectedPart(part.Name, part.Dim, place.KeepLength, part.Space));
                weights.Add(PackedTrunk.Values(own.contiguous()));
                offsets.Add(PackedTrunk.Values(-matmul(tensor(place.Mean), own)));
            }

            from += part.Dim;
        }

        return parts.Count == 0 ? null : new ContentProjection(parts, [.. weights], [.. offsets]);
    }

    /// <param name="embeddings">By name; those that it does not read, of another size or of zeros are passed over.</param>
    /// <param name="longest">The length that a vector may have: where an embedding's own counts, a new one may be of any, and scores grow
    /// with it.</param>
    /// <returns>[dim]; empty: it reads none of them.</returns>
    public ReadOnlyMemory<float> VectorOf(IReadOnlyDictionary<string, ReadOnlyMemory<float>> embeddings, double longest)
    {
        float[]? vector = null;
        for (int at = 0; at < _parts.Count; at++)
        {
            var part = _parts[at];
            var unit = new float[part.Dim];
            if (embeddings.TryGetValue(part.Name, out var brought) && brought.Length == part.Dim
                && EmbeddingPlace.TryNormalise(brought.Span, part.KeepLength, unit))
            {
                vector ??= new float[_dim];
                TensorPrimitives.Add(vector, _offsets[at], vector);
                for (int i = 0; i < unit.Length; i++)
                {
                    TensorPrimitives.MultiplyAdd(_weights[at].AsSpan(i * _dim, _dim), unit[i], vector, vector);
                }
            }
        }

        double length = vector is null ? 0 : Math.Sqrt(vector.Sum(value => (double)value * value));
        if (!double.IsFinite(length))
        {
            return default;
        }

        if (length > longest)
        {
            TensorPrimitives.Multiply(vector, (float)(longest / length), vector);
        }

        return vector;
    }

    /// <summary>Adds its tensors to a state.</summary>
    public void Save(Dictionary<string, Tensor> state)
    {
        for (int at = 0; at < _parts.Count; at++)
        {
            state[WeightKey(at)] = tensor(_weights[at], [_parts[at].Dim, _dim]);
            state[OffsetKey(at)] = tensor(_offsets[at]);
        }
    }

    /// <summary>Takes its tensors out of a state.</summary>
    /// <param name="parts">Of the leg's configuration; null: there is none.</param>
    public static ContentProjection? Load(IReadOnlyList<ProjectedPart>? parts, int dim, Dictionary<string, Tensor> state) =>
        parts is not { Count: > 0 } ? null : new ContentProjection(
            parts,
            [.. parts.Select((part, at) => PackedTrunk.Values(state.Take(WeightKey(at), ScalarType.Float32, part.Dim, dim)))],
            [.. parts.Select((_, at) => PackedTrunk.Values(state.Take(OffsetKey(at), ScalarType.Float32, dim)))]);

    private static string WeightKey(int part) => $"{Prefix}{part}.weight";

    private static string OffsetKey(int part) => $"{Prefix}{part}.offset";
}

/// <summary>An embedding that a projection reads.</summary>
/// <param name="KeepLength">False: it is scaled to unit length first.</param>
/// <param name="Space">Of the vectors that the leg was trained on; null where their owner brought them.</param>
public sealed record ProjectedPart(string Name, int Dim, bool KeepLength, string? Space = null);
