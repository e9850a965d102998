using System.Collections.Concurrent;
using System.Reflection;
using Recsys.Torch.Modules;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>
        /// Base of every model part. It owns what is registered with it (parameters, buffers, sub-modules): registering takes a
        /// tensor out of its dispose scope, and disposing the module disposes all of it.
        /// </summary>
        public partial class Module : IDisposable
        {
            private static readonly ConcurrentDictionary<Type, (FieldInfo Field, string Name)[]> ComponentFields = new();

            protected OrderedDictionary<string, Module> _internal_submodules { get; } = [];

            protected OrderedDictionary<string, (Tensor tensor, bool persistent)> _internal_buffers { get; } = [];

            protected OrderedDictionary<string, Parameter> _internal_params { get; } = [];

            private readonly string _name;
            private bool _componentsRegistered;
            private bool _training = true;

            protected Module(string name) => _name = name;

            /// <summary>True (the default) while training; dropout and batch statistics depend on it.</summary>
            public virtual bool training => _training;

            public virtual string GetName() => string.IsNullOrEmpty(_name) ? GetType().Name : _name;

            /// <summary>Sets training or evaluation mode here and below.</summary>
            public virtual void train(bool train = true)
            {
                _training = train;
                foreach (Module child in children())
                {
                    child.train(train);
                }
            }

            public virtual void eval() => train(false);

            /// <summary>Runs <paramref name="fn"/> on every module below, then on this one.</summary>
            public virtual Module apply(Action<Module> fn)
            {
                foreach (Module child in children())
                {
                    child.apply(fn);
                }

                fn(this);
                return this;
            }

            /// <summary>
            /// Registers every field that holds a module, a parameter or a tensor (as a buffer) under its name. Call it last in the
            /// constructor. An automatic property is registered under the property's name.
            /// </summary>
            protected virtual void RegisterComponents()
            {
                if (_componentsRegistered)
                {
                    return;
                }

                foreach ((FieldInfo field, string name) in ComponentFields.GetOrAdd(GetType(), FieldsOf))
                {
                    if (_internal_submodules.ContainsKey(name) || _internal_params.ContainsKey(name) || _internal_buffers.ContainsKey(name))
                    {
                        continue;
                    }

                    switch (field.GetValue(this))
                    {
                        case Module module:
                            register_module(name, module);
                            break;
                        case Parameter parameter: // before Tensor, its base
                            register_parameter(name, parameter);
                            break;
                        case Tensor tensor:
                            register_buffer(name, tensor);
                            break;
                    }
                }

                _componentsRegistered = true;
            }

            public virtual void register_parameter(string name, Parameter param)
            {
                ArgumentNullException.ThrowIfNull(param);
                CheckName(name, "parameter");
                param.DetachFromDisposeScope();
                _internal_params.Add(name, param);
            }

            /// <param name="name">Its key in the state dictionary.</param>
            /// <param name="tensor">State that is not trained.</param>
            /// <param name="persistent">False keeps it out of the state dictionary.</param>
            public virtual void register_buffer(string name, Tensor tensor, bool persistent = true)
            {
                ArgumentNullException.ThrowIfNull(tensor);
                CheckName(name, "buffer");
                tensor.DetachFromDisposeScope();
                _internal_buffers.Add(name, (tensor, persistent));
            }

            public virtual void register_module(string name, Module submodule)
            {
                ArgumentNullException.ThrowIfNull(submodule);
                CheckName(name, "module");
                if (ReferenceEquals(submodule, this))
                {
                    throw new InvalidOperationException($"module {name} of {GetName()} cannot be itself");
                }

                submodule.RegisterComponents();
                _internal_submodules.Add(name, submodule);
            }

            public void add_module(string name, Module module) => register_module(name, module);

            /// <summary>Puts <paramref name="value"/> (null: nothing) in the place of a registered parameter; the caller disposes the old one.</summary>
            protected void ConditionallyRegisterParameter(string name, Parameter? value)
            {
                if (value is null)
                {
                    _internal_params.Remove(name);
                    return;
                }

                value.DetachFromDisposeScope();
                _internal_params[name] = value;
            }

            /// <summary>Puts <paramref name="value"/> (null: nothing) in the place of a registered buffer; the caller disposes the old one.</summary>
            protected void ConditionallyRegisterBuffer(string name, Tensor? value, bool persistent = true)
            {
                if (value is null)
                {
                    _internal_buffers.Remove(name);
                    return;
                }

                value.DetachFromDisposeScope();
                _internal_buffers[name] = (value, persistent);
            }

            protected void ClearModules() => _internal_submodules.Clear();

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            protected virtual void Dispose(bool disposing)
            {
                if (!disposing)
                {
                    return;
                }

                foreach (Module child in _internal_submodules.Values)
                {
                    child.Dispose();
                }

                foreach (Parameter parameter in _internal_params.Values)
                {
                    parameter.Dispose();
                }

                foreach ((Tensor buffer, _) in _internal_buffers.Values)
                {
                    buffer.Dispose();
                }
            }

            private void CheckName(string name, string kind)
            {
                if (string.IsNullOrEmpty(name) || name.Contains('.', StringComparison.Ordinal))
                {
                    throw new ArgumentException($"{kind} name '{name}' of {GetName()} must not be empty or contain a dot");
                }

                if (_internal_submodules.ContainsKey(name) || _internal_params.ContainsKey(name) || _internal_buffers.ContainsKey(name))
                {
                    throw new InvalidOperationException($"{kind} {name} is already registered with {GetName()}");
                }
            }

            // The class's own fields first, then those of its bases; hidden names count once.
            private static (FieldInfo Field, string Name)[] FieldsOf(Type type)
            {
                var fields = new List<(FieldInfo, string)>();
                var seen = new HashSet<string>();
                for (Type? level = type; level is not null && level != typeof(Module); level = level.BaseType)
                {
                    const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
                    foreach (FieldInfo field in level.GetFields(Own).Where(f => !f.FieldType.IsValueType).OrderBy(f => f.MetadataToken))
                    {
                        string name = field.GetCustomAttribute<ComponentNameAttribute>()?.Name ?? PlainName(field.Name);
                        if (seen.Add(name))
                        {
                            fields.Add((field, name));
                        }
                    }
                }

                return [.. fields];
            }

            // "<weight>k__BackingField" is the field behind the automatic property "weight".
            private static string PlainName(string field) =>
                field.StartsWith('<') && field.IndexOf('>', StringComparison.Ordinal) is > 1 and var end ? field[1..end] : field;
        }
    }
}
