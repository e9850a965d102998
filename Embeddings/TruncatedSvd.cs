using Recsys.Catalog;

namespace Recsys.Embeddings;

/// <summary>
/// The leading part of a singular value decomposition, by random projection and power iteration with orthonormalisation in between
/// (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1). Deterministic for a seed on one machine.
/// </summary>
/// <param name="Rank">Singular triples kept; at most the smaller side of the matrix.</param>
/// <param name="U">[rows × Rank] left vectors, row-major; zero columns beyond the matrix's own rank.</param>
/// <param name="S">[Rank] singular values, descending.</param>
/// <param name="V">[columns × Rank] right vectors, row-major; the largest entry of each is positive.</param>
public sealed record TruncatedSvd(int Rank, float[] U, float[] S, float[] V)
{
    /// <param name="a">[rows, columns] float32, dense or sparse.</param>
    /// <param name="transposed">[columns, rows] the same, transposed.</param>
    /// <param name="powerIterations">Each multiplies the gap between kept and dropped directions; 4 is plenty for text.</param>
    /// <param name="oversampling">Extra directions carried along and dropped at the end.</param>
    public static TruncatedSvd Of(
        Tensor a, Tensor transposed, int rank, long seed, int powerIterations = 4, int oversampling = 16,
        CancellationToken cancel = default)
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var generator = new Generator((ulong)seed);
        long smaller = Math.Min(a.shape[0], a.shape[1]);
        rank = (int)Math.Min(rank, smaller);
        long width = Math.Min(rank + oversampling, smaller);
        var q = Columns(a.mm(randn([a.shape[1], width], generator: generator))); // [rows, width]
        for (int iteration = 0; iteration < powerIterations; iteration++)
        {
            cancel.ThrowIfCancellationRequested();
            q = Columns(a.mm(Columns(transposed.mm(q))));
        }

        // Bᵀ = Aᵀ·Q = V·S·Wᵀ  ⇒  A ≈ (Q·W)·S·Vᵀ.
        var (v, s, w) = linalg.svd(transposed.mm(q), fullMatrices: false);
        (v, s) = (v[.., ..rank], s[..rank]);
        var known = s > 1e-6 * s[0]; // below it a singular value is the rounding noise of single precision
        var sign = v.gather(0, v.abs().argmax(0, keepdim: true)).sign(); // singular vectors are unique only up to sign
        v = v * sign * known;
        var u = q.mm(w[..rank].t()) * sign * known;
        return new TruncatedSvd(rank, Values(u), Values(s * known), Values(v));
    }

    /// <summary>
    /// Rows of U·Sᵖ at unit length as vectors of a catalogue's items; a row that is (numerically) zero is none.
    /// </summary>
    /// <param name="power">1: U·S, as in latent semantic analysis; ½: the usual choice for co-occurrence (Levy, Goldberg and Dagan
    /// 2015).</param>
    /// <param name="items">[rows] the item of each row.</param>
    /// <param name="count">Items of the catalogue.</param>
    internal EmbeddingMatrix ItemVectors(string name, string space, double power, IReadOnlyList<int> items, int count)
    {
        using var scope = NewDisposeScope();
        var rows = tensor(U, [items.Count, Rank]) * tensor(S).pow(power) * tensor(S).ne(0);
        var norms = rows.norm(1, keepdim: true);
        var held = Values(norms.flatten());
        var unit = Values(rows / norms);
        float floor = 1e-7f * (float)Math.Pow(S[0], power);
        var kept = Enumerable.Range(0, items.Count).Where(row => held[row] > floor);
        return EmbeddingMatrix.Of(
            name, Rank, count, kept.Select(row => (items[row], (ReadOnlyMemory<float>)unit.AsMemory(row * Rank, Rank))), space);
    }

    private static Tensor Columns(Tensor block) => linalg.qr(block).Q;

    internal static float[] Values(Tensor tensor) => tensor.to(ScalarType.Float32).contiguous().data<float>().ToArray();
}
