using Recsys.Faiss.Native;

namespace Recsys.Faiss.Tests;

/// <summary>Counts all handles of the process, so nothing else may run.</summary>
[CollectionDefinition(nameof(NativeTests), DisableParallelization = true)]
public sealed class NativeTestsAlone;

[Collection(nameof(NativeTests))]
public sealed class NativeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-faiss-").FullName;

    [Fact]
    public void Every_handle_is_released_by_dispose_by_the_collector_and_after_errors()
    {
        int before = Live();
        using (var rq = ResidualQuantizer.FromCodebooks(new float[8], 4, [1]))
        {
            using var trained = ResidualQuantizer.Train(Points.Clustered(40, 4, seed: 1), 4, [1]);
            Assert.Equal(before + 2, QuantizerHandle.Live);
            Assert.Throws<FaissException>(() => rq.Encode([float.NaN, 0, 0, 0], 1));
            Assert.Throws<FaissException>(() => ResidualQuantizer.FromCodebooks(new float[7], 4, [1]));
        }

        Assert.Equal(before, QuantizerHandle.Live);
        Forget();
        Assert.Equal(before, Live());
    }

    [Fact]
    public void What_was_disposed_says_so()
    {
        var rq = ResidualQuantizer.FromCodebooks(new float[8], 4, [1]);
        rq.Dispose();
        rq.Dispose();
        Assert.Throws<ObjectDisposedException>(() => rq.Encode(new float[4], 1));
        Assert.Throws<ObjectDisposedException>(() => rq.Codebooks());
    }

    [Fact]
    public void The_library_is_looked_for_beside_the_assemblies_then_where_the_variable_says()
    {
        string named = Path.Combine(_folder, "elsewhere.so");
        Assert.Equal([Path.Combine(AppContext.BaseDirectory, "librecsys_faiss.so"), named], LibraryResolver.Candidates(named));
        Assert.Single(LibraryResolver.Candidates(null));
    }

    [Fact]
    public void A_library_that_is_missing_or_does_not_load_says_what_was_searched_and_what_to_do()
    {
        string a = Path.Combine(_folder, "a.so"), b = Path.Combine(_folder, "b.so");
        var missing = Assert.Throws<FaissException>(() => LibraryResolver.Load([a, b]));
        Assert.Contains($"none of {a}, {b}", missing.Message, StringComparison.Ordinal);
        Assert.Contains("./recsys doctor", missing.Remedy!, StringComparison.Ordinal);
        File.WriteAllText(b, "no library");
        var broken = Assert.Throws<FaissException>(() => LibraryResolver.Load([a, b]));
        Assert.Contains($"{b} is there but does not load", broken.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // Not inlined: no reference to what it made is left on the stack.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Forget() => _ = ResidualQuantizer.FromCodebooks(new float[8], 4, [1]).Levels;

    private static int Live()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return QuantizerHandle.Live;
    }
}
