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
}
