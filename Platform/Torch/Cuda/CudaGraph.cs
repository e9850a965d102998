using Recsys.Torch.Native;
using static Recsys.Torch.Native.CudaExports;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// A function recorded once and replayed with one launch: for inference at fixed shapes, where launching many small kernels costs more
/// than they do. TorchSharp has no such type.
/// </summary>
public sealed unsafe class CudaGraph : CudaHandle
{
    private const int WarmUps = 3; // libraries choose their algorithms and workspaces in the first calls, which a capture must not see
    private readonly Tensor[] _inputs;
    private Tensor[] _outputs = [];

    /// <param name="function">Runs on the device alone, without reading values back and without shapes that depend on them.</param>
    /// <param name="inputs">Tensors on one CUDA device, of the shapes and dtypes that every replay has.</param>
    /// <exception cref="TorchException">Unsupported where libtorch has no CUDA; or the function cannot be captured.</exception>
    public CudaGraph(Func<Tensor[], Tensor[]> function, params Tensor[] inputs)
        : base(New(inputs))
    {
        using var quiet = no_grad();
        int device = Math.Max(0, inputs[0].device.index);
        _inputs = Array.ConvertAll(inputs, input => input.clone().DetachFromDisposeScope());
        using (var side = new CudaStream(device))
        using (side.Use())
        {
            for (int i = 0; i < WarmUps; i++)
            {
                using var scope = NewDisposeScope();
                function(_inputs);
            }

            side.Synchronize();
        }

        using var captured = NewDisposeScope();
        Check.Ok(rs_cuda_graph_begin(Handle), "CudaGraph");
        try
        {
            _outputs = Array.ConvertAll(function(_inputs), output => output.DetachFromDisposeScope());
        }
        catch
        {
            rs_cuda_graph_end(Handle); // the function's own error is the one to tell
            throw;
        }

        Check.Ok(rs_cuda_graph_end(Handle), "CudaGraph");
    }

    /// <summary>Runs it on these inputs.</summary>
    /// <returns>The graph's own results, which the next replay overwrites; clone what is to be kept.</returns>
    public IReadOnlyList<Tensor> Replay(params Tensor[] inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        if (inputs.Length != _inputs.Length)
        {
            throw new ArgumentException($"{inputs.Length} inputs for a graph of {_inputs.Length}.", nameof(inputs));
        }

        using var quiet = no_grad();
        for (int i = 0; i < inputs.Length; i++)
        {
            if (!inputs[i].shape.AsSpan().SequenceEqual(_inputs[i].shape))
            {
                throw new ArgumentException(
                    $"Input {i} is [{string.Join(", ", inputs[i].shape)}], the graph was captured with [{string.Join(", ", _inputs[i].shape)}].", nameof(inputs));
            }

            Dispatcher.Run("copy_", _inputs[i], inputs[i], true);
        }

        Check.Ok(rs_cuda_graph_replay(Handle), "CudaGraph.Replay");
        return _outputs;
    }

    public override void Dispose()
    {
        foreach (var tensor in _inputs.Concat(_outputs))
        {
            tensor.Dispose();
        }

        base.Dispose();
    }

    private protected override void Free(nint handle) => rs_cuda_graph_free(handle);

    private static nint New(Tensor[] inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        if (inputs.Length == 0)
        {
            throw new ArgumentException("A graph needs an input: its shapes are what is fixed.", nameof(inputs));
        }

        void* graph;
        Check.Ok(rs_cuda_graph_new(Math.Max(0, inputs[0].device.index), &graph), "CudaGraph");
        return (nint)graph;
    }
}
