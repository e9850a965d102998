namespace Recsys.Faiss.Tests;

/// <summary>Same index, same data, same seed: the answers of FAISS's own Python package.</summary>
public sealed class FaissPeerTests(FaissPeer peer) : IClassFixture<FaissPeer>
{
    // Its products of matrices may be cut for another number of threads, which moves the last bits.
    private const double Relative = 2e-6;

    public static TheoryData<string, Metric> Cases
    {
        get
        {
            var cases = new TheoryData<string, Metric>();
            foreach (string kind in FaissPeer.Kinds)
            {
                cases.Add(kind, Metric.L2);
                cases.Add(kind, Metric.InnerProduct);
            }

            return cases;
        }
    }

    [FaissPeerTheory]
    [InlineData("kmeans", false, false)]
    [InlineData("kmeans-spherical", true, false)]
    [InlineData("kmeans-weighted", false, true)]
    public void Centroids_are_those_of_FAISS(string name, bool spherical, bool weighted)
    {
        var result = KMeans.Train(peer.Train, FaissPeer.Dim, 24, new KMeansOptions
        {
            Iterations = 12, Seed = 77, Seeding = KMeansSeeding.Random, Spherical = spherical, Weights = weighted ? peer.Weights : null,
        });

        Near(peer.Read<float>($"{name}.distances"), result.Centroids, 1e-5);
    }

    [FaissPeerTheory]
    [MemberData(nameof(Cases))]
    public void Ids_and_distances_are_those_of_FAISS_also_after_removal(string kind, Metric metric)
    {
        using var index = FaissPeer.Make(kind, metric);
        index.Train(peer.Train, FaissPeer.Seed);
        index.Add(peer.Base);
        Same($"{kind}-{metric}", index);
        if (kind != "HNSW12")
        {
            index.Remove([.. Enumerable.Range(0, 43).Select(i => 7L * i)]);
            Same($"{kind}-{metric}-removed", index);
        }
    }

    [FaissPeerTheory]
    [MemberData(nameof(Cases))]
    public void A_file_that_FAISS_wrote_is_read_and_answers_the_same(string kind, Metric metric)
    {
        using var index = VectorIndex.LoadFromFaiss(peer.At($"{kind}-{metric}.faiss"));
        Assert.Equal(kind, index.Description);
        Same($"{kind}-{metric}", index);
        Assert.Throws<FaissFileException>(() => VectorIndex.Load(peer.At($"{kind}-{metric}.faiss"))); // it has no seal
    }

    [FaissPeerTheory]
    [InlineData("Flat")]
    [InlineData("PQ4x6")]
    [InlineData("RQ3x5")]
    [InlineData("HNSW12")]
    [InlineData("IVF20,Flat")]
    [InlineData("IVF20,PQ4x6")]
    public void FAISS_reads_the_files_that_are_written_here(string kind)
    {
        using (var index = VectorIndex.Load(peer.At($"{kind}.ours")))
        {
            Same($"{kind}.ours", index);
        }

        if (File.Exists(peer.At($"{kind}.ids.ours")))
        {
            using var index = VectorIndex.Load(peer.At($"{kind}.ids.ours"));
            Same($"{kind}.ids.ours", index);
        }
    }

    [FaissPeerTheory]
    [InlineData("PQ4x6", Metric.L2)]
    [InlineData("RQ3x5", Metric.L2)]
    [InlineData("RQ3x5", Metric.InnerProduct)]
    public void Codes_and_what_they_decode_to_are_those_of_FAISS(string kind, Metric metric)
    {
        using var codec = (QuantizerIndex)FaissPeer.Make(kind, metric);
        codec.Train(peer.Train, FaissPeer.Seed);
        byte[] codes = codec.Encode(peer.Query);
        Assert.Equal(peer.Read<byte>($"{kind}-{metric}-codec.codes"), codes);
        Near(peer.Read<float>($"{kind}-{metric}-codec.distances"), codec.Decode(codes), Relative);
    }

    [FaissPeerTheory]
    [InlineData("Flat", Metric.L2)]
    [InlineData("Flat", Metric.InnerProduct)]
    [InlineData("IVF20,Flat", Metric.L2)]
    public void A_range_search_finds_what_FAISS_finds(string kind, Metric metric)
    {
        using var index = FaissPeer.Make(kind, metric);
        index.Train(peer.Train, FaissPeer.Seed);
        index.Add(peer.Base);
        RangeResult result = index.SearchRange(peer.Query, 12);
        long[] limits = peer.Read<long>($"{kind}-{metric}-range.codes"), labels = peer.Read<long>($"{kind}-{metric}-range.labels");
        Assert.Equal(limits, result.Limits);
        Assert.True(labels.Length > 200, $"{labels.Length} answers compare little");
        for (int q = 0; q < limits.Length - 1; q++)
        {
            Assert.Equal(labels[(int)limits[q]..(int)limits[q + 1]].Order(), result.LabelsOf(q).ToArray().Order());
        }
    }

    private void Same(string name, VectorIndex index)
    {
        var (distances, labels) = peer.Answer(name);
        SearchResult result = index.Search(peer.Query, FaissPeer.K);
        Assert.Equal(labels, result.Labels);
        Near(distances, result.Distances, Relative);
    }

    private static void Near(float[] expected, float[] found, double relative)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - found[i]) <= relative * Math.Max(1, Math.Abs(expected[i])), $"{i}: {expected[i]:R} by FAISS, {found[i]:R} here");
        }
    }
}
