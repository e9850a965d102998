namespace Recsys.Torch.Tests;

public class ScopeTests
{
    [Fact]
    public void A_scope_disposes_what_was_made_in_it_and_keeps_what_was_moved_out()
    {
        Tensor kept, lost;
        using (NewDisposeScope())
        {
            using (NewDisposeScope())
            {
                lost = ones(3);
                kept = (lost * 2).MoveToOuterDisposeScope();
            }

            Assert.True(lost.IsInvalid);
            Assert.Equal(6, kept.sum().ToDouble());
        }

        Assert.True(kept.IsInvalid);
    }

    [Fact]
    public void A_detached_tensor_outlives_every_scope()
    {
        Tensor kept;
        using (NewDisposeScope())
        {
            kept = ones(3).DetachFromDisposeScope();
        }

        Assert.False(kept.IsInvalid);
        kept.Dispose();
    }

    [Fact]
    public void Statistics_return_to_their_baseline_after_ten_thousand_operations()
    {
        Garbage.Collect();
        var live = LiveTensorCount;
        var bytes = LiveTensorBytes;
        var thread = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (var i = 0; i < 500; i++)
        {
            using var scope = NewDisposeScope();
            var x = ones(4, 4).requires_grad_();
            var y = functional.gelu(x.matmul(x)).softmax(-1);
            var parts = y.chunk(2);
            var (values, _) = cat(parts).max(1);
            values.sum().backward();
            using var g = x.grad!;
            _ = g[0, 1..3].ToString();
        }

        Assert.Equal(thread, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.Equal(live, LiveTensorCount);
        Assert.Equal(bytes, LiveTensorBytes);
    }

    [Fact]
    public void Failed_calls_leave_nothing_behind()
    {
        using var x = ones(2, 3);
        Garbage.Collect();
        var live = LiveTensorCount;
        for (var i = 0; i < 200; i++)
        {
            Assert.Throws<TorchException>(() => x.matmul(x));
            Assert.Throws<TorchException>(() => Dispatcher.CallList("add.Tensor", x, x));
            Assert.Throws<TorchException>(() => Dispatcher.Call("unbind.int", x));
            Assert.Throws<TorchException>(() => Dispatcher.CallNumber("add.Tensor", x, x));
        }

        Assert.Equal(live, LiveTensorCount);
    }

    [Fact]
    public void Forgotten_tensors_are_freed_by_the_collector()
    {
        var live = LiveTensorCount;
        Forget();
        for (var i = 0; i < 10 && LiveTensorCount > live; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.True(LiveTensorCount <= live);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget()
        {
            for (var i = 0; i < 100; i++)
            {
                _ = ones(10);
            }
        }
    }

    [Fact]
    public void Disposing_twice_is_harmless_and_use_after_dispose_is_a_typed_error()
    {
        var x = ones(3);
        x.Dispose();
        x.Dispose();
        Assert.Throws<ObjectDisposedException>(() => x + 1);
        Assert.Throws<ObjectDisposedException>(() => x.shape);
        Assert.Throws<ObjectDisposedException>(() => x.data<float>());
        Assert.Throws<ObjectDisposedException>(() => cat([x, x]));
        Assert.Throws<ObjectDisposedException>(() => x[0]);
        Assert.Throws<ObjectDisposedException>(() => x.backward());
        Assert.Equal("[disposed tensor]", x.ToString());
    }

    [Fact]
    public void Disposing_on_another_thread_under_running_operators_never_crashes()
    {
        for (var round = 0; round < 200; round++)
        {
            using var scope = NewDisposeScope();
            var x = ones(64, 64);
            var disposer = new Thread(x.Dispose);
            disposer.Start();
            try
            {
                for (var i = 0; i < 20; i++)
                {
                    Assert.Equal(64 * 64, x.sum().ToInt64());
                }
            }
            catch (ObjectDisposedException)
            {
                // The other thread was first: that is the typed error.
            }

            disposer.Join();
        }
    }

    [Fact]
    public void A_scope_counts_contains_attaches_and_empties()
    {
        using var outside = ones(1);
        using var scope = NewDisposeScope();
        Assert.Same(scope, CurrentDisposeScope);
        var made = Enumerable.Range(0, 200).Select(i => full(1, i)).ToList();
        Assert.Equal(200, scope.DisposablesCount);
        foreach (var t in made.Where((_, i) => i % 4 != 0))
        {
            t.Dispose();
        }

        Assert.Equal(50, scope.DisposablesCount);
        Assert.True(scope.Contains(made[100]));
        Assert.False(scope.Contains(outside));
        scope.Attach(outside);
        Assert.True(scope.Contains(outside));
        scope.Detach(outside);
        scope.DisposeEverythingBut(made[100]);
        Assert.Equal(1, scope.DisposablesCount);
        Assert.Equal(100, made[100].ToDouble());
        scope.DisposeEverything();
        Assert.Equal(0, scope.DisposablesCount);
        Assert.False(outside.IsInvalid);
    }
}
