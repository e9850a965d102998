using Xunit.Abstractions;

namespace Recsys.Torch.Tests.Safetensors;

/// <summary>50,000 mutated files, 1,000,000 with RECSYS_FULL=1: read or refused as the oracle says, and never anything else.</summary>
public sealed class SafetensorsMutationTests(ITestOutputHelper output) : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Mutated_files_are_read_as_the_oracle_reads_them_or_refused_as_it_refuses_them()
    {
        int count = Environment.GetEnvironmentVariable("RECSYS_FULL") == "1" ? 1_000_000 : 50_000;
        var mutations = new Mutations(20_000);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        long baseline = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        int read = 0, listed = 0;
        for (int i = 0; i < count; i++)
        {
            byte[] bytes = mutations.Next();
            var expected = StrictReader.Read(bytes);
            SafetensorsFile? file = Open(bytes, mapped: i % 16 == 0);
            Assert.True(expected is null == file is null, $"mutation {i}: the oracle {(expected is null ? "refuses" : "reads")} {Show(bytes)}");
            using (file)
            {
                if (file is not null)
                {
                    bool whole = RequireSame(expected!.Value, bytes, file, i);
                    (read, listed) = (read + (whole ? 1 : 0), listed + 1);
                }
            }
        }

        Assert.InRange(read, count / 50, count / 2);
        Assert.InRange(listed - read, count / 500, count / 2); // dtypes that can only be listed
        Assert.Equal(baseline, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        output.WriteLine($"{count} mutations: {listed} accepted, {read} of them read whole, in {clock.Elapsed.TotalSeconds:F0} s");
    }

    private SafetensorsFile? Open(byte[] bytes, bool mapped)
    {
        try
        {
            if (!mapped)
            {
                return SafetensorsFile.Open(bytes);
            }

            File.Delete(_file); // the one before may still be mapped
            File.WriteAllBytes(_file, bytes);
            return SafetensorsFile.Open(_file, mapped: true);
        }
        catch (SafetensorsException)
        {
            return null;
        }
    }

    // Same tensors with the same bytes, or a refusal for a reason that the oracle sees in the file too.
    private static bool RequireSame((List<StrictTensor> Tensors, int Data) expected, byte[] bytes, SafetensorsFile file, int i)
    {
        Assert.Equal(
            expected.Tensors.Select(t => (t.Name, t.Format, string.Join(',', t.Shape), t.Begin, t.End)).Order(),
            file.Entries.Select(e => (e.Name, e.Format, string.Join(',', e.Shape), e.Begin, e.End)).Order());
        bool readable = file.Entries.All(e => e.Dtype is not null && (e.Format != "BOOL" || !Data(e.Begin, e.End).ContainsAnyExceptInRange((byte)0, (byte)1)));
        using var scope = NewDisposeScope();
        try
        {
            Dictionary<string, Tensor> tensors = file.ReadAll();
            Assert.True(readable, $"mutation {i} was read: {Show(bytes)}");
            foreach (StrictTensor t in expected.Tensors)
            {
                Assert.Equal(t.Shape, tensors[t.Name].shape);
                Assert.True(Data(t.Begin, t.End).SequenceEqual(tensors[t.Name].bytes), $"mutation {i}, tensor '{t.Name}': {Show(bytes)}");
            }
        }
        catch (SafetensorsException refusal)
        {
            Assert.False(readable, $"mutation {i}: {refusal.Message} {Show(bytes)}");
        }

        return readable;

        ReadOnlySpan<byte> Data(long begin, long end) => bytes.AsSpan(expected.Data + (int)begin, (int)(end - begin));
    }

    private static string Show(byte[] bytes) => Convert.ToHexString(bytes) + " = " + System.Text.Encoding.Latin1.GetString(bytes);
}
