using Recsys.Embeddings.Factorisation;

namespace Recsys.Embeddings.Images;

/// <summary>
/// The directions in which vectors vary most. Scores are divided by √Dim times their standard deviation over all components, so that
/// their mean squared length is 1 while strong components stay stronger than weak ones.
/// </summary>
/// <param name="Mean">[inputs]</param>
/// <param name="Directions">[inputs × Dim], orthonormal columns, strongest first.</param>
/// <param name="Scale">What scores are multiplied with.</param>
public sealed record PrincipalComponents(int Dim, float[] Mean, float[] Directions, double Scale)
{
    /// <param name="data">[rows × inputs], at least two rows; centred in place.</param>
    public static PrincipalComponents Fit(
        float[] data, int inputs, int dim, long seed, int powerIterations, CancellationToken cancel = default)
    {
        int rows = data.Length / inputs;
        var sum = new double[inputs];
        for (int i = 0; i < data.Length; i++)
        {
            sum[i % inputs] += data[i];
        }

        var mean = Array.ConvertAll(sum, s => (float)(s / rows));
        Centre(data, mean);
        var svd = TruncatedSvd.Of(new DenseMap(data, inputs), dim, seed, powerIterations, cancel: cancel);
        double meanSquaredLength = svd.S.Sum(s => s * s) / rows;
        return new PrincipalComponents(svd.Rank, mean, svd.V, meanSquaredLength > 0 ? 1 / Math.Sqrt(meanSquaredLength) : 0);
    }

    /// <summary>Scores of vectors, scaled.</summary>
    /// <param name="data">[rows × inputs]; centred in place.</param>
    /// <returns>[rows × Dim]</returns>
    public float[] Project(float[] data, CancellationToken cancel = default)
    {
        Centre(data, Mean);
        var scores = new DenseMap(data, Mean.Length).Multiply(Directions, Dim, cancel);
        for (int i = 0; i < scores.Length; i++)
        {
            scores[i] = (float)(scores[i] * Scale);
        }

        return scores;
    }

    private static void Centre(float[] data, float[] mean) => BlockArithmetic.ForEachPart(data.Length / mean.Length, (_, from, to) =>
    {
        for (int row = from; row < to; row++)
        {
            BlockArithmetic.AddScaled(-1f, mean, data.AsSpan(row * mean.Length, mean.Length));
        }
    });
}
