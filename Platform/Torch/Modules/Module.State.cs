namespace Recsys.Torch;

public static partial class torch
{
    public static partial class nn
    {
        public partial class Module
        {
            /// <summary>
            /// Parameters and persistent buffers by dotted name: the tensors themselves, not copies. Shared ones appear under each name.
            /// </summary>
            public virtual Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
            {
                destination ??= [];
                string start = string.IsNullOrEmpty(prefix) ? "" : prefix + ".";
                foreach ((string name, Modules.Parameter parameter) in _internal_params)
                {
                    destination.TryAdd(start + name, parameter);
                }

                foreach ((string name, (Tensor buffer, bool persistent)) in _internal_buffers)
                {
                    if (persistent)
                    {
                        destination.TryAdd(start + name, buffer);
                    }
                }

                foreach ((string name, Module child) in named_children())
                {
                    child.state_dict(destination, start + name);
                }

                return destination;
            }

            /// <summary>
            /// Copies values into this module and those below, converting dtype and device. All keys and shapes are checked before
            /// the first value is written.
            /// </summary>
            /// <returns>The keys missing from <paramref name="source"/> and those of it that nothing here has.</returns>
            /// <exception cref="StateDictException">A shape differs or, if <paramref name="strict"/>, a key is missing or unexpected; it lists all.</exception>
            public virtual (IList<string> missing_keys, IList<string> unexpected_keys) load_state_dict(
                Dictionary<string, Tensor> source, bool strict = true, IList<string>? skip = null)
            {
                ArgumentNullException.ThrowIfNull(source);
                Dictionary<string, Tensor> own = state_dict();
                var skipped = new HashSet<string>(skip ?? []);
                List<string> missing = [.. own.Keys.Where(k => !skipped.Contains(k) && !source.ContainsKey(k))];
                List<string> unexpected = [.. source.Keys.Where(k => !skipped.Contains(k) && !own.ContainsKey(k))];
                List<(Tensor To, Tensor From)> copies = [];
                List<string> misshapen = [];
                foreach ((string key, Tensor to) in own)
                {
                    if (skipped.Contains(key) || !source.TryGetValue(key, out Tensor? from))
                    {
                        continue;
                    }

                    copies.Add((to, from));
                    if (!to.shape.AsSpan().SequenceEqual(from.shape))
                    {
                        misshapen.Add($"{key} is [{string.Join(", ", from.shape)}], expected [{string.Join(", ", to.shape)}]");
                    }
                }

                if (misshapen.Count > 0 || (strict && missing.Count + unexpected.Count > 0))
                {
                    throw new StateDictException(GetName(), missing, unexpected, misshapen);
                }

                using (no_grad())
                using (NewDisposeScope())
                {
                    foreach ((Tensor to, Tensor from) in copies)
                    {
                        to.copy_(from);
                    }
                }

                return (missing, unexpected);
            }
        }
    }
}
