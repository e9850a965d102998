namespace Recsys.Torch;

/// <summary>How long a module's tensors live.</summary>
public static class ModuleLifetime
{
    /// <summary>
    /// Takes a module's parameters and buffers out of the dispose scopes that they were made in, so that they live as long as the module:
    /// TorchSharp leaves an <see cref="Embedding"/>'s, and what is registered by name, to the scope. Called at the end of a constructor.
    /// </summary>
    public static void Keep(this nn.Module module)
    {
        foreach (var tensor in module.parameters().Concat(module.buffers()))
        {
            tensor.DetachFromDisposeScope();
        }
    }

    /// <summary>
    /// Moves a module's parameters and buffers, before an optimiser knows them. TorchSharp puts other tensors in the place of the old ones:
    /// in its own layers, and in a field whose name is the registered one; what is kept under any other name is left behind, disposed.
    /// </summary>
    public static void MoveTo(this nn.Module module, Device device)
    {
        module.to(device);
        module.Keep();
    }
}
