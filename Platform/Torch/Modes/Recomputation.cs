using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>A checkpointed function and the state of its thread when it first ran.</summary>
internal sealed class Recomputation : IDisposable
{
    private readonly Func<Tensor[], Tensor[]> _function;
    private readonly bool[] _wanted;
    private readonly (Device Device, Tensor State)[] _random;
    private readonly (DeviceType Device, ScalarType Dtype, bool On)[] _autocast;

    internal Recomputation(Func<Tensor[], Tensor[]> function, Tensor[] inputs, bool preserveRandomState)
    {
        _function = function;
        _wanted = Array.ConvertAll(inputs, input => input.requires_grad);
        _autocast = Array.ConvertAll((DeviceType[])[DeviceType.CPU, DeviceType.CUDA], Autocast.StateOf);
        Device[] devices = preserveRandomState ? [CPU, .. inputs.Select(input => input.device).Where(d => d.type != DeviceType.CPU).Distinct()] : [];
        _random = Array.ConvertAll(devices, device => (device, StateOf(device)));
    }

    /// <summary>Runs the function on inputs cut off from the graph, and sends the gradients back through it.</summary>
    /// <param name="inputs">Handles, owned from here on.</param>
    /// <param name="gradients">Handles of the outputs' gradients, owned from here on; 0 for one that is absent.</param>
    /// <param name="results">Takes a handle, owned by the caller, for each input that has a gradient.</param>
    internal void Backward(ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> gradients, Span<nint> results)
    {
        using var scope = NewDisposeScope();
        var given = new Tensor[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            given[i] = new Tensor(inputs[i]);
        }

        var sent = new Tensor?[gradients.Length];
        for (int i = 0; i < gradients.Length; i++)
        {
            sent[i] = gradients[i] == 0 ? null : new Tensor(gradients[i]);
        }

        using var record = enable_grad();
        Tensor[] fresh = [.. given.Select((tensor, i) => tensor.detach().requires_grad_(_wanted[i]))];
        var outputs = Again(fresh);
        var roots = outputs.Zip(sent).Where(pair => pair.Second is not null && pair.First.requires_grad).ToArray();
        if (roots.Length > 0)
        {
            autograd.backward([.. roots.Select(root => root.First)], [.. roots.Select(root => root.Second!)]);
        }

        for (int i = 0; i < fresh.Length; i++)
        {
            results[i] = _wanted[i] && fresh[i].grad is { } gradient ? gradient.DecoupleFromNativeHandle() : 0;
        }
    }

    public void Dispose()
    {
        foreach (var (_, state) in _random)
        {
            state.Dispose();
        }
    }

    private Tensor[] Again(Tensor[] inputs)
    {
        var now = Array.ConvertAll(_random, saved => (saved.Device, State: StateOf(saved.Device)));
        try
        {
            SetRandom(_random);
            using var cpu = Autocast.Enter(_autocast[0]);
            using var cuda = Autocast.Enter(_autocast[1]);
            return _function(inputs);
        }
        finally
        {
            SetRandom(now);
            foreach (var (_, state) in now)
            {
                state.Dispose();
            }
        }
    }

    private static Tensor StateOf(Device device)
    {
        using var generator = Generator.DefaultOf(device);
        return generator.get_state().DetachFromDisposeScope();
    }

    private static void SetRandom((Device Device, Tensor State)[] states)
    {
        foreach (var (device, state) in states)
        {
            using var generator = Generator.DefaultOf(device);
            generator.set_state(state);
        }
    }
}
