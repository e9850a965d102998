using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>How long a module's tensors live.</summary>
public static class ModuleLifetime
{
    /// <summary>
    /// Takes a module's parameters and buffers out of the dispose scopes that they were made in, so that they live as long as the module.
    /// Here they are taken out as they are registered; TorchSharp leaves an <see cref="Embedding"/>'s, and what is registered by name, to
    /// the scope. A module that may be made inside a scope calls this at the end of its constructor, and is right with both.
    /// </summary>
    public static void Keep(this nn.Module module)
    {
        foreach (var tensor in module.parameters().Concat(module.buffers()))
        {
            tensor.DetachFromDisposeScope();
        }
    }
}
