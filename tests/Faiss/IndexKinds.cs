namespace Recsys.Faiss.Tests;

/// <summary>One index of each kind over the same data, for tests that hold for all of them.</summary>
internal static class IndexKinds
{
    public const int Dim = 8;

    public static string[] Names => ["Flat", "PQ4x6", "RQ3x5", "IVF8,Flat", "IVF8,PQ4x6", "HNSW8"];

    public static TheoryData<string> All => [.. Names];

    public static VectorIndex Filled(string description, Metric metric = Metric.L2, int count = 300)
    {
        var index = VectorIndex.Create(description, Dim, metric);
        index.Train(KMeansTests.Gaussian(400, seed: 3));
        index.Add(KMeansTests.Gaussian(count, seed: 1));
        if (index is IvfIndex inverted)
        {
            inverted.Probes = 4;
        }

        return index;
    }
}
