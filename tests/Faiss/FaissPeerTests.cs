namespace Recsys.Faiss.Tests;

/// <summary>Same data, settings, seed and number of threads: the answers of FAISS's own Python package.</summary>
public sealed class FaissPeerTests(FaissPeer peer) : IClassFixture<FaissPeer>
{
    private const double Relative = 1e-5;

    [FaissPeerTheory]
    [InlineData(24, 12, 77)]
    public void Centroids_are_those_of_FAISS(int k, int iterations, int seed)
    {
        var options = new KMeansOptions { Iterations = iterations, Seed = seed, Seeding = KMeansSeeding.Random };
        Points.Near(peer.Read<float>("kmeans.centroids"), KMeans.Train(peer.Train, FaissPeer.Dim, k, options).Centroids, Relative);
    }

    [FaissPeerTheory]
    [InlineData(1)]
    [InlineData(5)]
    public void Codebooks_codes_and_reconstruction_error_are_those_of_FAISS(int beam)
    {
        float[] books = peer.Read<float>("rq.codebooks");
        var options = new ResidualQuantizerOptions { Seed = FaissPeer.Seed };
        using var trained = ResidualQuantizer.Train(peer.Train, FaissPeer.Dim, [6, 4, 3], options);
        Points.Near(books, trained.Codebooks(), Relative);
        using var given = ResidualQuantizer.FromCodebooks(books, FaissPeer.Dim, [6, 4, 3]);
        int[] codes = given.Encode(peer.Query, beam);
        float[] theirs = peer.Read<float>($"rq.decoded{beam}"), ours = Points.Sums(given, codes);
        Assert.Equal(peer.Read<int>($"rq.codes{beam}"), codes);
        Points.Near(theirs, ours, Relative);
        Assert.Equal(Points.Squared(peer.Query, theirs), Points.Squared(peer.Query, ours), 1e-3);
    }
}
