using System.Runtime.InteropServices;
using System.Text;
using Recsys.Torch.Native;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// Trades time for memory: the forward pass keeps a function's inputs alone, and backward computes the function again for what it needs
/// (Chen et al. 2016). Semantics of PyTorch's reentrant <c>torch.utils.checkpoint</c>: the same random numbers and the same autocast
/// as the first time, gradients accumulated in the leaves, no <c>autograd.grad</c> through it. TorchSharp has no such function.
/// </summary>
public static unsafe class ActivationCheckpoint
{
    private const string Library = NativeLibraryResolver.LibraryName;

    static ActivationCheckpoint() => NativeLibraryResolver.Register(typeof(ActivationCheckpoint).Assembly);

    /// <summary>module.call(input), checkpointed.</summary>
    public static Tensor Run(nn.Module<Tensor, Tensor> module, Tensor input, bool preserveRandomState = true)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Run(module.call, input, preserveRandomState);
    }

    /// <summary>function(input), checkpointed.</summary>
    public static Tensor Run(Func<Tensor, Tensor> function, Tensor input, bool preserveRandomState = true)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Run(inputs => [function(inputs[0])], [input], preserveRandomState)[0];
    }

    /// <summary>function(inputs), checkpointed.</summary>
    /// <param name="function">
    /// Called twice, the second time during backward and perhaps on another thread. It must do the same both times: seeds of its own
    /// are drawn before, not in it. Tensors that it captures besides leaves get no gradient.
    /// </param>
    /// <param name="inputs">Kept until backward; they must not be changed in place before.</param>
    /// <param name="preserveRandomState">False saves copying 5 KB where the function draws nothing.</param>
    /// <returns>The function's results; those of integers take part in no graph.</returns>
    public static Tensor[] Run(Func<Tensor[], Tensor[]> function, Tensor[] inputs, bool preserveRandomState = true)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(inputs);
        using var scope = NewDisposeScope();
        if (!is_grad_enabled())
        {
            return Array.ConvertAll(function(inputs), output => output.MoveToOuterDisposeScope());
        }

        var context = new Recomputation(function, inputs, preserveRandomState);
        Tensor[] outputs;
        try
        {
            using (no_grad())
            {
                outputs = function(inputs);
            }
        }
        catch
        {
            context.Dispose();
            throw;
        }

        var results = new Out[outputs.Length];
        using var held = new HeldTensors(inputs);
        using var made = new HeldTensors(outputs);
        fixed (nint* i = held.Handles, o = made.Handles)
        fixed (Out* r = results)
        {
            nint handle = GCHandle.ToIntPtr(GCHandle.Alloc(context));
            Check.Ok(rs_recompute_attach(handle, &Recompute, &Release, i, held.Count, o, made.Count, r), "checkpoint");
        }

        return Array.ConvertAll(results, result => Tensor.Own(result).MoveToOuterDisposeScope());
    }

    [UnmanagedCallersOnly]
    private static int Recompute(nint context, nint* inputs, int inputCount, nint* gradients, int gradientCount, nint* results, byte* message, int capacity)
    {
        try
        {
            var recomputation = (Recomputation)GCHandle.FromIntPtr(context).Target!;
            recomputation.Backward(new(inputs, inputCount), new(gradients, gradientCount), new(results, inputCount));
            return 0;
        }
        catch (Exception e) // nothing managed may unwind through native frames
        {
            var room = new Span<byte>(message, capacity - 1);
            Encoding.UTF8.TryGetBytes($"{e.GetType().Name} in a checkpointed function: {e.Message}", room, out int written);
            room[written..].Clear();
            message[capacity - 1] = 0;
            return 1;
        }
    }

    [UnmanagedCallersOnly]
    private static void Release(nint context)
    {
        var handle = GCHandle.FromIntPtr(context);
        (handle.Target as Recomputation)?.Dispose();
        handle.Free();
    }

    [DllImport(Library)]
    private static extern Status rs_recompute_attach(
        nint context, delegate* unmanaged<nint, nint*, int, nint*, int, nint*, byte*, int, int> recompute, delegate* unmanaged<nint, void> release,
        nint* inputs, int inputCount, nint* outputs, int outputCount, Out* results);
}
