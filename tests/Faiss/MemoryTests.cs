namespace Recsys.Faiss.Tests;

// The counters are of the whole process, so nothing may run beside these tests.
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
public sealed class CountersOfTheProcess;

[Collection(nameof(MemoryTests))]
public sealed class MemoryTests
{
    [Theory]
    [InlineData("Flat", 256)]
    [InlineData("PQ16", 16)]
    [InlineData("RQ4x8", 4)]
    [InlineData("IVF16,Flat", 264)]
    [InlineData("IVF16,PQ16", 24)]
    [InlineData("HNSW16", 256 + 8 + 4 + (4 * 33))] // vector, offset, level, 32 links below and 1 above on average
    public void Bytes_are_those_of_the_vectors_held_and_fall_back_to_the_baseline(string description, double bytesPerVector)
    {
        const int dim = 64, count = 10_000;
        float[] data = KMeansTests.Gaussian(count * dim / 8, seed: 1);
        (long live, long bytes) = (FaissMemory.LiveIndexes, FaissMemory.Bytes);
        using (var index = VectorIndex.Create(description, dim))
        {
            index.Train(data.AsSpan(0, 300 * dim));
            long empty = index.Bytes;
            index.Add(data);
            Assert.Equal(live + 1, FaissMemory.LiveIndexes);
            Assert.Equal(bytes + index.Bytes, FaissMemory.Bytes);

            // Containers grow by doubling at most.
            Assert.InRange(index.Bytes - empty, (bytesPerVector * count * 0.97) - 65_536, bytesPerVector * count * 2.05);
        }

        Assert.Equal(live, FaissMemory.LiveIndexes);
        Assert.Equal(bytes, FaissMemory.Bytes);
    }

    [Fact]
    public void The_process_grows_by_no_more_than_what_is_counted_and_uses_it_again()
    {
        float[] data = KMeansTests.Gaussian(400_000, seed: 1); // 12.8 MB
        long before = Resident();
        var (counted, first) = Hold();
        Assert.Equal(8 * 12.8e6, counted, 1e6);
        Assert.InRange(first - before, long.MinValue, counted * 1.3); // less where the heap had freed pages to spare
        var (_, second) = Hold();
        Assert.InRange(second - first, long.MinValue, counted / 4);

        (long Counted, long Resident) Hold()
        {
            var indexes = Enumerable.Range(0, 8).Select(_ => new FlatIndex(8)).ToArray();
            try
            {
                Array.ForEach(indexes, index => index.Add(data));
                return (indexes.Sum(index => index.Bytes), Resident());
            }
            finally
            {
                Array.ForEach(indexes, index => index.Dispose());
            }
        }
    }

    [Fact]
    public void A_forgotten_index_is_counted_until_it_is_collected()
    {
        long live = FaissMemory.LiveIndexes;
        Forget();
        Assert.Equal(live + 20, FaissMemory.LiveIndexes);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(live, FaissMemory.LiveIndexes);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget()
        {
            for (int i = 0; i < 20; i++)
            {
                _ = new FlatIndex(4).Count;
            }
        }
    }

    [Fact]
    public void A_thousand_rounds_of_every_operation_leave_nothing_behind()
    {
        (long live, long bytes) = (FaissMemory.LiveIndexes, FaissMemory.Bytes);
        float[] data = KMeansTests.Gaussian(64, seed: 1);
        string file = Path.GetTempFileName();
        long settled = 0;
        for (int round = 0; round < 1000; round++)
        {
            using var index = VectorIndex.Create(round % 2 == 0 ? "IVF4,PQ2x4" : "HNSW4", 8);
            index.Train(data);
            index.AddWithIds(data, [.. Enumerable.Range(0, 64).Select(i => (long)i)]);
            index.Search(data, 3);
            Assert.Equal(32, index.Remove([.. Enumerable.Range(0, 32).Select(i => 2L * i)]));
            Assert.ThrowsAny<FaissException>(() => index.Search([float.NaN], 1));
            if (round % 10 == 0)
            {
                index.Save(file);
                VectorIndex.Load(file).Dispose();
            }

            settled = round == 300 ? Resident() : settled;
        }

        File.Delete(file);
        Assert.Equal((live, bytes), (FaissMemory.LiveIndexes, FaissMemory.Bytes));
        Assert.InRange(Resident() - settled, long.MinValue, 24L << 20);
    }

    private static long Resident()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return 4096 * long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
