namespace Recsys.Embeddings;

internal static class UnitVector
{
    /// <summary>The sum of rows, or their mean, at unit length; zero where the sum is.</summary>
    /// <param name="rows">[rows × dim]</param>
    public static float[] OfSum(ReadOnlySpan<float> rows, int dim)
    {
        var sum = new float[dim];
        for (int i = 0; i < rows.Length; i++)
        {
            sum[i % dim] += rows[i];
        }

        double length = Math.Sqrt(sum.Sum(value => (double)value * value));
        return length > 0 ? Array.ConvertAll(sum, value => (float)(value / length)) : sum;
    }
}
