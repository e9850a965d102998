using System.Collections;
using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Modules in a row; what one gives the next takes. They are named 0, 1, …</summary>
            public static Sequential Sequential(params Module<Tensor, Tensor>[] modules) => new(modules.Select((m, i) => (i.ToString(), m)));

            public static Sequential Sequential(IEnumerable<Module<Tensor, Tensor>> modules) => Sequential([.. modules]);

            public static Sequential Sequential(params (string name, Module<Tensor, Tensor> submodule)[] modules) => new(modules);

            public static Sequential Sequential(IEnumerable<(string name, Module<Tensor, Tensor> submodule)> modules) => new(modules);

            public static Sequential Sequential() => new([]);

            public static ModuleList<Module> ModuleList(params Module[] modules) => new(modules);

            public static ModuleList<T> ModuleList<T>(params T[] modules)
                where T : Module => new(modules);

            public static ModuleDict<Module> ModuleDict(params (string, Module)[] modules) => new(modules);

            public static ModuleDict<T> ModuleDict<T>(params (string, T)[] modules)
                where T : Module => new(modules);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public class Sequential : nn.Module<Tensor, Tensor>
    {
        internal Sequential(IEnumerable<(string name, nn.Module<Tensor, Tensor> module)> modules)
            : base(nameof(Sequential))
        {
            foreach ((string name, nn.Module<Tensor, Tensor> module) in modules)
            {
                append(name, module);
            }
        }

        protected Sequential(params (string name, nn.Module<Tensor, Tensor> submodule)[] modules)
            : this((IEnumerable<(string, nn.Module<Tensor, Tensor>)>)modules)
        {
        }

        protected Sequential(params nn.Module<Tensor, Tensor>[] modules)
            : this(modules.Select((m, i) => (i.ToString(), m)))
        {
        }

        public int Count => _internal_submodules.Count;

        public nn.Module<Tensor, Tensor> this[int index] => (nn.Module<Tensor, Tensor>)_internal_submodules.GetAt(index).Value;

        public Sequential append(nn.Module<Tensor, Tensor> module) => append(Count.ToString(), module);

        public Sequential append(string name, nn.Module<Tensor, Tensor> module)
        {
            register_module(name, module);
            return this;
        }

        /// <summary>The values between two modules are disposed as soon as autograd does not hold them.</summary>
        public override Tensor forward(Tensor input)
        {
            if (Count == 0)
            {
                return Dispatcher.Call("alias", input);
            }

            Tensor value = input;
            for (int i = 0; i < Count; i++)
            {
                Tensor next = this[i].call(value);
                if (i > 0 && !ReferenceEquals(next, value) && !ReferenceEquals(value, input))
                {
                    value.Dispose();
                }

                value = next;
            }

            return value;
        }
    }

    /// <summary>A list of modules, named 0, 1, … in the state dictionary; it has no forward of its own.</summary>
    public class ModuleList<T> : nn.Module, IReadOnlyList<T>
        where T : nn.Module
    {
        public ModuleList(params T[] modules)
            : base(nameof(ModuleList<T>)) => extend(modules);

        public int Count => _internal_submodules.Count;

        public T this[int index] => (T)_internal_submodules.GetAt(index).Value;

        public void Add(T item) => register_module(Count.ToString(), item);

        public void append(params T[] parameters) => extend(parameters);

        public void extend(IEnumerable<T> modules)
        {
            foreach (T module in modules)
            {
                Add(module);
            }
        }

        public IEnumerator<T> GetEnumerator() => _internal_submodules.Values.Cast<T>().GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    /// <summary>Modules by name, in the order of adding; it has no forward of its own.</summary>
    public class ModuleDict<T> : nn.Module, IEnumerable<(string, T)>
        where T : nn.Module
    {
        public ModuleDict(params (string, T)[] modules)
            : base(nameof(ModuleDict<T>))
        {
            foreach ((string name, T module) in modules)
            {
                Add(name, module);
            }
        }

        public int Count => _internal_submodules.Count;

        public IEnumerable<string> Keys => _internal_submodules.Keys;

        public IEnumerable<T> Values => _internal_submodules.Values.Cast<T>();

        public T this[string key] => (T)_internal_submodules[key];

        public void Add(string key, T value) => register_module(key, value);

        public void Add((string, T) item) => Add(item.Item1, item.Item2);

        public bool ContainsKey(string key) => _internal_submodules.ContainsKey(key);

        public IEnumerator<(string, T)> GetEnumerator() => _internal_submodules.Select(m => (m.Key, (T)m.Value)).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
