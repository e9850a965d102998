using System.Globalization;

namespace Recsys.Torch.Tests.Robustness;

/// <summary>Live tensors return to their baseline exactly, and resident memory stays where it was after warming up.</summary>
public class MemoryTests
{
    private const long Growth = 24L << 20; // bytes that a managed heap may breathe

    [Fact]
    public void A_hundred_thousand_operations_leave_nothing() => Repeat(1000, () =>
    {
        using var scope = NewDisposeScope();
        Tensor x = ones(8, 8);
        for (int i = 0; i < 50; i++)
        {
            x = (x * 0.5).add(1);
        }
    });

    [Fact]
    public void Ten_thousand_training_steps_leave_nothing()
    {
        using var outer = NewDisposeScope();
        using var model = new TinyModel(20, 8, heads: 2, drop: 0.1);
        using var optimizer = optim.AdamW(model.parameters(), 1e-3);
        Tensor items = randint(0, 20, [2, 6], dtype: ScalarType.Int64);
        Repeat(10_000, () => model.Step(optimizer, items));
    }

    [Fact]
    public void Ten_thousand_requests_leave_nothing()
    {
        using var outer = NewDisposeScope();
        using var model = new TinyModel(50, 8, heads: 2, drop: 0.1);
        model.eval();
        Tensor items = randint(0, 50, [1, 8], dtype: ScalarType.Int64);
        Repeat(10_000, () =>
        {
            using var quiet = inference_mode();
            using var scope = NewDisposeScope();
            var (scores, best) = model.call(items)[.., -1].topk(5);
            Assert.Equal(5, best.data<long>().ToArray().Distinct().Count());
        });
    }

    [Fact]
    public void A_failure_in_the_middle_of_a_request_leaves_nothing() => Repeat(2000, () =>
    {
        using var scope = NewDisposeScope();
        Tensor x = ones(2, 3);
        Assert.Throws<TorchException>(() => (x + 1).matmul(x));
        Assert.Throws<TorchException>(() => cat([x, ones(4)]));
    });

    [Fact]
    public void Threads_that_dispose_and_use_the_same_tensors_get_a_value_or_a_typed_error()
    {
        long live = LiveTensorCount;
        for (int round = 0; round < 300; round++)
        {
            Tensor[] shared = [.. Enumerable.Range(0, 8).Select(_ => ones(16, requires_grad: true))];
            var workers = Enumerable.Range(0, 3).Select(worker => new Thread(() => Work(shared, worker))).ToList();
            workers.ForEach(w => w.Start());
            workers.ForEach(w => w.Join());
            Assert.All(shared, t => Assert.True(t.IsInvalid));
        }

        Assert.Equal(live, LiveTensorCount);

        static void Work(Tensor[] shared, int worker)
        {
            using var scope = NewDisposeScope();
            for (int i = 0; i < shared.Length; i++)
            {
                try
                {
                    Assert.Equal(16, cat([shared[i], shared[(i + worker) % shared.Length]]).sum().ToDouble() / 2);
                    shared[i].mul(2).sum().backward();
                }
                catch (ObjectDisposedException)
                {
                }

                shared[i].Dispose();
                shared[i].Dispose();
            }
        }
    }

    [Fact]
    public void Large_tensors_come_back_clean_and_at_most_a_GiB_of_their_memory_stays()
    {
        const int Count = 40, Elements = 16 << 20; // 64 MiB each, 2.5 GiB together
        Garbage.Collect();
        TorchRuntime.ReleaseKeptMemory();
        long before = Resident();
        using (NewDisposeScope())
        {
            for (int i = 0; i < Count; i++)
            {
                full([Elements], i, ScalarType.Float32);
            }

            Assert.InRange(Resident() - before, Count * 60L << 20, long.MaxValue);
        }

        Assert.InRange(TorchRuntime.KeptBytes, Math.Min(1L << 29, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 32), 1L << 30);
        Assert.InRange(Resident() - before, long.MinValue, (1L << 30) + Growth);
        using (NewDisposeScope())
        {
            Assert.Equal(0, zeros(Elements).abs().sum().item<float>()); // in the memory of one that held other numbers
        }

        TorchRuntime.ReleaseKeptMemory();
        Assert.Equal(0, TorchRuntime.KeptBytes);
        Assert.InRange(Resident() - before, long.MinValue, Growth);
    }

    [Theory]
    [InlineData(262_000)] // around a MiB, where one way of taking memory ends and another begins
    [InlineData(262_127)]
    [InlineData(262_128)]
    [InlineData(262_144)]
    [InlineData(294_895)] // and where one size of kept blocks does
    [InlineData(294_896)]
    [InlineData(294_897)]
    [InlineData(524_272)]
    public void Every_element_of_a_block_is_the_tensors_own(long elements)
    {
        using var scope = NewDisposeScope();
        for (int round = 0; round < 3; round++)
        {
            using var inner = NewDisposeScope();
            var all = Enumerable.Range(0, 4).Select(i => full([elements], i + 1, ScalarType.Float32)).ToArray();
            Assert.Equal([1.0, 2, 3, 4], all.Select(t => t.to(ScalarType.Float64).mean().item<double>()));
        }
    }

    private static void Repeat(int times, Action body)
    {
        for (int i = 0; i < Math.Max(50, times / 10); i++)
        {
            body();
        }

        Garbage.Collect();
        var (live, bytes, resident) = (LiveTensorCount, LiveTensorBytes, Resident());
        for (int i = 0; i < times; i++)
        {
            body();
        }

        Assert.Equal(live, LiveTensorCount); // exactly, and before any finalizer could have helped
        Assert.Equal(bytes, LiveTensorBytes);
        Garbage.Collect();
        Assert.InRange(Resident() - resident, long.MinValue, Growth);
    }

    // The second number of statm: resident pages.
    private static long Resident() => long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
}
