namespace Recsys.Torch;

/// <summary>A module's weights, put in whole or not at all.</summary>
public static class StateDict
{
    /// <summary>
    /// Copies a state into a module once every name, shape and element type fits. TorchSharp's own <c>load_state_dict</c> compares names
    /// alone, broadcasts and converts what does not fit, and leaves half of it in place when it fails.
    /// </summary>
    /// <exception cref="TorchException">Something does not fit; nothing was written.</exception>
    public static void Restore(this nn.Module module, IReadOnlyDictionary<string, Tensor> state)
    {
        var own = module.state_dict();
        var faults = own.Keys.Where(name => !state.ContainsKey(name)).Select(name => $"'{name}' is missing")
            .Concat(state.Keys.Where(name => !own.ContainsKey(name)).Select(name => $"'{name}' is unknown"))
            .Concat(own.Where(pair => state.TryGetValue(pair.Key, out var found)
                    && (!found.shape.SequenceEqual(pair.Value.shape) || found.dtype != pair.Value.dtype))
                .Select(pair => $"'{pair.Key}' is {Describe(state[pair.Key])}, expected {Describe(pair.Value)}"))
            .ToList();
        if (faults.Count > 0)
        {
            throw new TorchException(
                $"The state does not fit {module.GetName()}: "
                + $"{string.Join("; ", faults.Take(8))}{(faults.Count > 8 ? $"; and {faults.Count - 8} more" : "")}.");
        }

        using var _ = no_grad();
        foreach (var (name, tensor) in own)
        {
            tensor.copy_(state[name]);
        }
    }

    /// <summary>A new module with a state; it is disposed where the state does not fit.</summary>
    /// <exception cref="TorchException">As of <see cref="Restore"/>.</exception>
    public static T With<T>(this T module, IReadOnlyDictionary<string, Tensor> state)
        where T : nn.Module
    {
        try
        {
            module.Restore(state);
            return module;
        }
        catch
        {
            module.Dispose();
            throw;
        }
    }

    internal static string Describe(Tensor tensor) => $"{tensor.dtype} [{string.Join(", ", tensor.shape)}]";
}
