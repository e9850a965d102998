using Recsys.Torch;
using static Recsys.Torch.torch;

namespace Recsys.Server.Selftest;

/// <summary>What only a CUDA device has: moves from pinned memory, streams, graphs, its allocator's numbers.</summary>
internal sealed class CudaChecks : ISelfCheck
{
    public IEnumerable<CheckResult> Check(Device device, int seed)
    {
        if (device.type != DeviceType.CUDA)
        {
            yield break;
        }

        int index = Math.Max(0, device.index);
        yield return CheckResult.Of("there and back, from pinned memory", 0, () =>
        {
            using var scope = NewDisposeScope();
            Tensor host = randn(1000, 100).pin_memory();
            return CheckResult.Relative(host.to(device, non_blocking: true), host);
        });
        yield return CheckResult.Of("a stream of its own", 1e-6, () =>
        {
            using var scope = NewDisposeScope();
            Tensor x = randn(300, 300).to(device), y;
            using var stream = new CudaStream(index);
            cuda.synchronize(index);
            using (stream.Use())
            {
                y = x * 2 + 1;
            }

            stream.Synchronize();
            return CheckResult.Relative(y, x.cpu() * 2 + 1);
        });
        yield return CheckResult.Of("a graph, replayed", 1e-5, () =>
        {
            using var scope = NewDisposeScope();
            Tensor x = randn(64, 32).to(device), other = randn(64, 32).to(device);
            using var graph = new CudaGraph(inputs => [inputs[0].sin().matmul(inputs[0].t())], x);
            return CheckResult.Relative(graph.Replay(other)[0], other.sin().matmul(other.t()));
        });
        yield return CheckResult.Of("the allocator's bytes", 0, () =>
        {
            long before = CudaMemory.Of(index).Allocated;
            using var block = empty([1 << 20], ScalarType.Float32, device);
            return Math.Abs(CudaMemory.Of(index).Allocated - before - (4 << 20));
        });
    }
}
