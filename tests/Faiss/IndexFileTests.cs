using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Recsys.Faiss.Tests;

public sealed class IndexFileTests : IDisposable
{
    private const int Seal = 64;
    private static readonly bool Full = Environment.GetEnvironmentVariable("RECSYS_FULL") == "1";
    private readonly string _folder = Directory.CreateDirectory(Path.Combine(
        Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"recsys-faiss-{Guid.NewGuid():N}")).FullName;

    private string Target => Path.Combine(_folder, "some.index");

    [Theory]
    [MemberData(nameof(IndexKinds.All), MemberType = typeof(IndexKinds))]
    public void A_loaded_index_is_the_saved_one_and_goes_on_from_there(string description)
    {
        float[] queries = KMeansTests.Gaussian(40, seed: 6);
        foreach (Metric metric in Enum.GetValues<Metric>())
        {
            foreach (bool ownIds in new[] { false, true })
            {
                using var saved = IndexKinds.Filled(description, metric);
                if (ownIds)
                {
                    saved.AddWithIds(queries, [.. Enumerable.Range(0, 40).Select(i => 5_000L + i)]);
                }

                saved.Save(Target);
                using var loaded = VectorIndex.Load(Target);

                Assert.Equal(saved.GetType(), loaded.GetType());
                Assert.Equal((saved.Description, saved.Dim, saved.Metric, saved.Count, saved.HasOwnIds), (loaded.Description, loaded.Dim, loaded.Metric, loaded.Count, loaded.HasOwnIds));
                Assert.Equal(saved.Search(queries, 7).Labels, loaded.Search(queries, 7).Labels);
                Assert.Equal(saved.Search(queries, 7).Distances, loaded.Search(queries, 7).Distances);
                if (ownIds)
                {
                    Assert.Throws<FaissException>(() => loaded.Add(queries));
                }
                else
                {
                    loaded.Add(queries);
                    Assert.Equal(saved.Count + 40, loaded.Count);
                    loaded.Search(queries, 7);
                }
            }
        }

        Assert.Equal([Target], Directory.GetFiles(_folder)); // nothing is left beside it
    }

    [Theory]
    [MemberData(nameof(IndexKinds.All), MemberType = typeof(IndexKinds))]
    public void An_empty_index_trained_or_not_is_saved_and_loaded(string description)
    {
        using var index = VectorIndex.Create(description, 8);
        index.Save(Target);
        using var untrained = VectorIndex.Load(Target);
        Assert.Equal(index.IsTrained, untrained.IsTrained);
        float[] data = KMeansTests.Gaussian(100, seed: 1);
        index.Train(data);
        untrained.Train(data);
        untrained.Save(Target);
        using var trained = VectorIndex.Load(Target);
        index.Add(data);
        trained.Add(data);
        Assert.Equal(index.Search(data, 4).Labels, trained.Search(data, 4).Labels);
    }

    [Fact]
    public void The_beam_and_the_probes_are_saved_too()
    {
        using var residual = new ResidualQuantizerIndex(8, 3, 4, beam: 17);
        residual.Save(Target);
        using (var loaded = (ResidualQuantizerIndex)VectorIndex.Load(Target))
        {
            Assert.Equal(17, loaded.Beam);
        }

        using var inverted = (IvfIndex)IndexKinds.Filled("IVF8,PQ4x6");
        inverted.Probes = 3;
        inverted.Save(Target);
        using var other = (IvfIndex)VectorIndex.Load(Target);
        Assert.Equal(3, other.Probes);
    }

    [Theory]
    [MemberData(nameof(IndexKinds.All), MemberType = typeof(IndexKinds))]
    public void Every_truncation_and_every_flipped_bit_is_refused(string description)
    {
        byte[] file = Saved(description, 6);
        for (int length = 0; length < file.Length; length += length < 400 || length > file.Length - 200 ? 1 : 13)
        {
            Refused(file[..length]);
        }

        for (int at = 0; at < file.Length; at += at < 400 || at > file.Length - 200 ? 1 : 13)
        {
            byte[] damaged = (byte[])file.Clone();
            damaged[at] ^= (byte)(1 << (at % 8));
            Refused(damaged);
        }
    }

    // Someone who writes a seal that fits: then only the reading along stands between the file and FAISS.
    [Theory]
    [MemberData(nameof(IndexKinds.All), MemberType = typeof(IndexKinds))]
    public void A_hostile_file_with_a_fitting_seal_is_refused_or_is_a_usable_index(string description)
    {
        var random = new Random(17);
        float[] queries = KMeansTests.Gaussian(3, seed: 5);
        byte[][] sources = [Saved(description, 40), Saved(description, 40, ownIds: true), Saved(description, 0)];
        int refused = 0, read = 0;
        long bytes = FaissMemory.Bytes;
        for (int round = Full ? 400_000 : 5_000; round > 0; round--)
        {
            byte[] hostile = Mutate(sources[round % sources.Length][..^Seal], random);
            try
            {
                using VectorIndex index = Load(Sealed(hostile));
                read++;
                if (index.Count > 0)
                {
                    int k = (int)Math.Min(index.Count, 5);
                    SearchResult found = index.Search(new float[2 * index.Dim], k);
                    Assert.Equal(2 * k, found.Labels.Length);
                }

                if (index is QuantizerIndex { IsTrained: true } codec)
                {
                    codec.Decode(codec.Encode(new float[index.Dim]));
                }

                if (index.IsTrained && !index.HasOwnIds)
                {
                    index.Add(new float[3 * index.Dim]);
                }
            }
            catch (FaissException)
            {
                refused++;
            }
        }

        Assert.True(refused > (refused + read) / 3, $"{description}: {refused} refused, {read} read");
    }

    [Fact]
    public void Sizes_that_promise_terabytes_are_refused_without_allocating()
    {
        byte[] content = Saved("Flat", 40)[..^Seal];
        long before = Environment.WorkingSet;
        foreach (long count in (long[])[1L << 30, 1L << 39, 1L << 41, long.MaxValue / 8, -1])
        {
            BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan(8), count);
            BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan(37), count * 8);
            Refused(Sealed(content));
        }

        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 64L << 20);
    }

    [Fact]
    public void A_link_of_a_graph_that_leads_nowhere_is_refused()
    {
        byte[] content = Saved("HNSW8", 40)[..^Seal];
        int links = content.AsSpan().IndexOf([.. BitConverter.GetBytes(-1), .. BitConverter.GetBytes(-1)]); // an unused pair
        Assert.True(links > 0);
        BitConverter.GetBytes(40).CopyTo(content, links);
        Assert.Contains("is linked on level", Refused(Sealed(content)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_a_folder_and_a_file_over_the_limit_are_typed_errors()
    {
        Assert.Throws<FaissFileException>(() => VectorIndex.Load(Path.Combine(_folder, "absent")));
        Assert.Throws<FaissFileException>(() => VectorIndex.Load(_folder));
        using var index = IndexKinds.Filled("Flat");
        Assert.Throws<FaissException>(() => index.Save(Path.Combine(_folder, "no", "such", "folder")));
        index.Save(Target);
        var fault = Assert.Throws<FaissFileException>(() => VectorIndex.Load(Target, maxBytes: 1000));
        Assert.Contains("at most 1,000 are read", fault.Message, StringComparison.Ordinal);
        Assert.Equal(Target, fault.Path);
    }

    [Fact]
    public void A_save_that_fails_leaves_the_old_file_as_it_was()
    {
        using var index = IndexKinds.Filled("Flat", count: 10);
        index.Save(Target);
        byte[] before = File.ReadAllBytes(Target);
        Directory.CreateDirectory(Path.Combine(_folder, "taken"));
        index.Add(KMeansTests.Gaussian(10, seed: 2));
        Assert.Throws<FaissException>(() => index.Save(Path.Combine(_folder, "taken")));
        Assert.Equal(before, File.ReadAllBytes(Target));
        Assert.Equal([Target], Directory.GetFiles(_folder));
        index.Save(Target);
        using var loaded = VectorIndex.Load(Target);
        Assert.Equal(20, loaded.Count);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private byte[] Saved(string description, int count, bool ownIds = false)
    {
        using var index = VectorIndex.Create(description.Replace("PQ4x6", "PQ2x2", StringComparison.Ordinal).Replace("RQ3x5", "RQ2x2", StringComparison.Ordinal), 4);
        index.Train(KMeansTests.Gaussian(10, seed: 3));
        float[] data = KMeansTests.Gaussian(count, seed: 1)[..(4 * count)];
        if (ownIds)
        {
            index.AddWithIds(data, [.. Enumerable.Range(0, count).Select(i => (long)i)]);
        }
        else
        {
            index.Add(data);
        }

        index.Save(Target);
        return File.ReadAllBytes(Target);
    }

    private string Refused(byte[] file) => Assert.Throws<FaissFileException>(() => Load(file).Dispose()).Message;

    private VectorIndex Load(byte[] file)
    {
        File.WriteAllBytes(Target, file);
        return VectorIndex.Load(Target);
    }

    private static byte[] Sealed(byte[] content)
    {
        var seal = new byte[Seal];
        "RSFAISS1"u8.CopyTo(seal);
        BinaryPrimitives.WriteInt64LittleEndian(seal.AsSpan(16), content.Length);
        SHA256.HashData([.. content, .. seal.AsSpan(0, 32)]).CopyTo(seal, 32);
        return [.. content, .. seal];
    }

    // Numbers of 4 and 8 bytes set to what breaks readers, bits flipped, pieces cut out, doubled or swapped.
    private static byte[] Mutate(byte[] content, Random random)
    {
        byte[] hostile = (byte[])content.Clone();
        long[] odd = [0, 1, -1, 2, 255, 256, 65_536, int.MaxValue, int.MinValue, uint.MaxValue, 1L << 39, 1L << 40, long.MaxValue, long.MinValue, hostile.Length, random.Next(100), random.NextInt64()];
        for (int change = random.Next(1, 4); change > 0 && hostile.Length > 16; change--)
        {
            int at = random.Next(3) == 0 ? random.Next(hostile.Length - 8) : random.Next(Math.Min(hostile.Length - 8, 160));
            switch (random.Next(5))
            {
                case 0:
                    hostile[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    BinaryPrimitives.WriteInt32LittleEndian(hostile.AsSpan(at), (int)odd[random.Next(odd.Length)]);
                    break;
                case 2:
                    BinaryPrimitives.WriteInt64LittleEndian(hostile.AsSpan(at), odd[random.Next(odd.Length)]);
                    break;
                case 3:
                    hostile = [.. hostile[..at], .. hostile[Math.Min(hostile.Length, at + random.Next(1, 16))..]];
                    break;
                default:
                    int from = random.Next(hostile.Length - 8);
                    hostile.AsSpan(from, random.Next(1, 8)).CopyTo(hostile.AsSpan(at));
                    break;
            }
        }

        return hostile;
    }
}
