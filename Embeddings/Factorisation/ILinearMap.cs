namespace Recsys.Embeddings.Factorisation;

/// <summary>A matrix that is only ever multiplied with narrow blocks: all that a randomised factorisation asks of it.</summary>
public interface ILinearMap
{
    int Rows { get; }

    int Columns { get; }

    /// <summary>A·x.</summary>
    /// <param name="x">[Columns × width], row-major.</param>
    /// <returns>[Rows × width]</returns>
    float[] Multiply(float[] x, int width, CancellationToken cancel);

    /// <summary>Aᵀ·y.</summary>
    /// <param name="y">[Rows × width], row-major.</param>
    /// <returns>[Columns × width]</returns>
    float[] MultiplyTransposed(float[] y, int width, CancellationToken cancel);
}
