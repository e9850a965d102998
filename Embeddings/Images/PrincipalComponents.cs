namespace Recsys.Embeddings.Images;

/// <summary>
/// The directions along which data vary, and how far vectors lie along them: scores are scaled so that the rows the directions were
/// learned from have mean squared length 1.
/// </summary>
/// <param name="Mean">[inputs]</param>
/// <param name="Directions">[inputs × Dim], orthonormal columns, strongest first.</param>
/// <param name="Scale">What scores are multiplied with.</param>
public sealed record PrincipalComponents(int Dim, float[] Mean, float[] Directions, double Scale)
{
    /// <param name="data">[rows × inputs], at least two rows.</param>
    public static PrincipalComponents Fit(
        float[] data, int inputs, int dim, long seed, int powerIterations, CancellationToken cancel = default)
    {
        using var scope = NewDisposeScope();
        var rows = tensor(data, [data.Length / inputs, inputs]);
        var mean = rows.mean([0L], type: ScalarType.Float64).to(ScalarType.Float32);
        rows = rows.sub_(mean);
        var svd = TruncatedSvd.Of(rows, rows.t(), dim, seed, powerIterations, cancel: cancel);
        double meanSquaredLength = svd.S.Sum(s => (double)s * s) / rows.shape[0];
        return new PrincipalComponents(
            svd.Rank, TruncatedSvd.Values(mean), svd.V, meanSquaredLength > 0 ? 1 / Math.Sqrt(meanSquaredLength) : 0);
    }

    /// <summary>Scores of vectors, scaled.</summary>
    /// <param name="data">[rows × inputs]</param>
    /// <returns>[rows × Dim]</returns>
    public float[] Project(float[] data)
    {
        using var scope = NewDisposeScope();
        var rows = tensor(data, [data.Length / Mean.Length, Mean.Length]) - tensor(Mean);
        return TruncatedSvd.Values(rows.mm(tensor(Directions, [Mean.Length, Dim])) * Scale);
    }
}
