using Recsys.Torch.Modules;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class nn
    {
        public partial class Module
        {
            public virtual IEnumerable<(string name, Module module)> named_children() => _internal_submodules.Select(m => (m.Key, m.Value));

            public virtual IEnumerable<Module> children() => _internal_submodules.Values;

            /// <summary>All modules below this one, by dotted name, parents before their children.</summary>
            public virtual IEnumerable<(string name, Module module)> named_modules()
            {
                foreach ((string name, Module child) in named_children())
                {
                    yield return (name, child);
                    foreach ((string inner, Module module) in child.named_modules())
                    {
                        yield return ($"{name}.{inner}", module);
                    }
                }
            }

            public virtual IEnumerable<Module> modules() => named_modules().Select(m => m.module);

            /// <summary>Parameters by dotted name; one that is shared comes once, under its first name.</summary>
            public virtual IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true) =>
                Walk("", recurse, static m => m._internal_params.Select(p => (p.Key, p.Value)));

            public virtual IEnumerable<Parameter> parameters(bool recurse = true) => named_parameters(recurse).Select(p => p.parameter);

            /// <summary>Buffers by dotted name; one that is shared comes once.</summary>
            public virtual IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true) =>
                Walk("", recurse, m => m._internal_buffers.Where(b => include_nonpersistent || b.Value.persistent).Select(b => (b.Key, b.Value.tensor)));

            public virtual IEnumerable<Tensor> buffers(bool recurse = true, bool include_nonpersistent = true) =>
                named_buffers(recurse, include_nonpersistent).Select(b => b.buffer);

            public virtual bool has_parameter(string target) => get_parameter(target) is not null;

            public virtual bool has_buffer(string target) => get_buffer(target) is not null;

            /// <summary>The parameter of that dotted name, or null.</summary>
            public virtual Parameter? get_parameter(string target) =>
                Find(target) is var (owner, name) ? owner._internal_params.GetValueOrDefault(name) : null;

            /// <summary>The buffer of that dotted name, or null.</summary>
            public virtual Tensor? get_buffer(string target) =>
                Find(target) is var (owner, name) && owner._internal_buffers.TryGetValue(name, out var buffer) ? buffer.tensor : null;

            public virtual void zero_grad(bool set_to_none = true) =>
                Optim.NativeOptimizer.ZeroGradients([.. parameters()], set_to_none);

            private IEnumerable<(string, T)> Walk<T>(string prefix, bool recurse, Func<Module, IEnumerable<(string, T)>> own, HashSet<object>? seen = null)
                where T : Tensor
            {
                seen ??= new HashSet<object>(ReferenceEqualityComparer.Instance);
                foreach ((string name, T tensor) in own(this))
                {
                    if (seen.Add(tensor))
                    {
                        yield return (prefix + name, tensor);
                    }
                }

                if (!recurse)
                {
                    yield break;
                }

                foreach ((string name, Module child) in named_children())
                {
                    foreach ((string, T) found in child.Walk($"{prefix}{name}.", true, own, seen))
                    {
                        yield return found;
                    }
                }
            }

            private (Module owner, string name)? Find(string target)
            {
                Module owner = this;
                string[] path = target.Split('.');
                foreach (string step in path[..^1])
                {
                    if (!owner._internal_submodules.TryGetValue(step, out Module? child))
                    {
                        return null;
                    }

                    owner = child;
                }

                return (owner, path[^1]);
            }
        }
    }
}
