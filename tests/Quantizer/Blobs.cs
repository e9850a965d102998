using Recsys.Catalog;
using Recsys.Quantizer.Encoding;
using Recsys.Torch.Kernels;

namespace Recsys.Quantizer.Tests;

/// <summary>Small made-up catalogues.</summary>
internal static class Blobs
{
    /// <summary>Points around <paramref name="centres"/> random directions.</summary>
    public static EmbeddingMatrix Make(string name, int n, int dim, int centres, int seed, double noise = 0.2)
    {
        var random = new Random(seed);
        var centre = Enumerable.Range(0, centres * dim).Select(_ => Normal(random)).ToArray();
        var data = new float[n * dim];
        for (int i = 0; i < n; i++)
        {
            for (int k = 0; k < dim; k++)
            {
                data[(i * dim) + k] = (float)(centre[(i % centres * dim) + k] + (noise * Normal(random)));
            }
        }

        return new EmbeddingMatrix(name, dim, data, Enumerable.Repeat(true, n).ToArray());
    }

    public static FusedEmbeddings Fused(int n, int dim, int centres, int seed, double noise = 0.2) =>
        Fuse(Make("text", n, dim, centres, seed, noise));

    public static FusedEmbeddings Fuse(params EmbeddingMatrix[] embeddings) =>
        Fusion.Fit(embeddings, new FusionOptions()).Apply(embeddings);

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
