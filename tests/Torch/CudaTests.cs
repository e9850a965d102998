using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests;

/// <summary>CUDA's types: what they do on a device that is there, and what they say where libtorch has none.</summary>
public class CudaTests
{
    [WithoutCudaFact]
    public void Without_CUDA_each_call_says_so_and_what_to_do()
    {
        using var scope = NewDisposeScope();
        Tensor x = ones(2);
        foreach (Action call in new Action[]
        {
            () => new CudaStream(), () => CudaStream.Current(), () => new CudaEvent(), () => new CudaGraph(y => y, x), () => CudaMemory.Of(),
            () => CudaMemory.ResetPeak(), CudaMemory.EmptyCache, () => cuda.synchronize(),
        })
        {
            var error = Assert.Throws<TorchException>(call);
            Assert.Equal(TorchFault.Unsupported, error.Fault);
            Assert.Contains("LIBTORCH=", error.Message);
        }

        Assert.False(cuda.is_available());
        Assert.Equal(0, cuda.device_count());
        Assert.Throws<TorchException>(() => x.cuda());
        Assert.Throws<TorchException>(() => x.pin_memory());
    }

    [CudaFact]
    public void Pinned_memory_and_a_copy_without_waiting_on_a_stream_of_its_own()
    {
        using var scope = NewDisposeScope();
        Tensor host = randn(1000, 1000).pin_memory();
        Assert.True(host.is_pinned());
        using var stream = new CudaStream();
        using var done = new CudaEvent();
        Tensor device;
        using (stream.Use())
        {
            device = host.to(CUDA, non_blocking: true);
            done.Record(stream);
        }

        using var current = CudaStream.Current();
        current.WaitFor(done);
        current.Keeps(device);
        Assert.True((device * 2).cpu().allclose(host * 2));
        Assert.True(stream.IsDone);
    }

    [CudaFact]
    public void A_graph_gives_what_the_function_gives()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 8));
        model.cuda();
        Tensor x = randn([16, 64], device: CUDA), other = randn([16, 64], device: CUDA);
        using var quiet = no_grad();
        using var graph = new CudaGraph(inputs => [model.call(inputs[0])], x);
        Assert.True(graph.Replay(other)[0].allclose(model.call(other), 1e-4, 1e-5));
        Assert.Throws<ArgumentException>(() => graph.Replay(randn([8, 64], device: CUDA)));
    }

    [CudaFact]
    public void The_allocator_counts_bytes()
    {
        long before = CudaMemory.Of().Allocated;
        using (Tensor x = ones([1 << 20], device: CUDA))
        {
            Assert.Equal(4 << 20, CudaMemory.Of().Allocated - before);
        }

        Assert.Equal(before, CudaMemory.Of().Allocated);
        Assert.True(CudaMemory.Of().PeakAllocated >= before + (4 << 20));
    }
}

[AttributeUsage(AttributeTargets.Method)]
public sealed class CudaFactAttribute : FactAttribute
{
    public CudaFactAttribute() => Skip = TorchRuntime.HasCuda ? null : "this libtorch has no CUDA.";
}

[AttributeUsage(AttributeTargets.Method)]
public sealed class WithoutCudaFactAttribute : FactAttribute
{
    public WithoutCudaFactAttribute() => Skip = TorchRuntime.HasCuda ? "this libtorch has CUDA." : null;
}
