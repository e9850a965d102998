namespace Recsys.Datasets.Tests;

internal static class TestNpy
{
    /// <param name="data">[rows × dim], row-major.</param>
    public static void Write(string path, float[] data, int dim) =>
        Npy.Write(path, data.Chunk(dim).Select(row => (ReadOnlyMemory<float>)row), data.Length / dim, dim);
}
