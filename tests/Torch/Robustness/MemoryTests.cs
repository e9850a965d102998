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

    private static void Repeat(int times, Action body)
    {
        for (int i = 0; i < Math.Max(50, times / 10); i++)
        {
            body();
        }

        Settle();
        var (live, bytes, resident) = (LiveTensorCount, LiveTensorBytes, Resident());
        for (int i = 0; i < times; i++)
        {
            body();
        }

        Assert.Equal(live, LiveTensorCount); // exactly, and before any finalizer could have helped
        Assert.Equal(bytes, LiveTensorBytes);
        Settle();
        Assert.InRange(Resident() - resident, long.MinValue, Growth);
    }

    private static void Settle()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    // The second number of statm: resident pages.
    private static long Resident() => long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
}
