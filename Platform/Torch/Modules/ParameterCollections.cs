using System.Collections;
using Recsys.Torch.Modules;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static ParameterList ParameterList(params Parameter[] parameters) => new(parameters);

            public static ParameterDict ParameterDict(params (string, Parameter)[] parameters) => new(parameters);
        }
    }
}

namespace Recsys.Torch.Modules
{
    /// <summary>A list of parameters, named 0, 1, … in the state dictionary.</summary>
    public class ParameterList : torch.nn.Module, IReadOnlyList<Parameter>
    {
        public ParameterList(params Parameter[] parameters)
            : base(nameof(ParameterList)) => extend(parameters);

        public int Count => _internal_params.Count;

        public Parameter this[int index] => _internal_params.GetAt(index).Value;

        public void Add(Parameter item) => register_parameter(Count.ToString(), item);

        public void append(params Parameter[] parameters) => extend(parameters);

        public void extend(IEnumerable<Parameter> parameters)
        {
            foreach (Parameter parameter in parameters)
            {
                Add(parameter);
            }
        }

        public IEnumerator<Parameter> GetEnumerator() => _internal_params.Values.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    /// <summary>Parameters by name, in the order of adding.</summary>
    public class ParameterDict : torch.nn.Module, IEnumerable<(string, Parameter)>
    {
        public ParameterDict(params (string, Parameter)[] parameters)
            : base(nameof(ParameterDict))
        {
            foreach ((string name, Parameter parameter) in parameters)
            {
                Add(name, parameter);
            }
        }

        public int Count => _internal_params.Count;

        public IEnumerable<string> Keys => _internal_params.Keys;

        public IEnumerable<Parameter> Values => _internal_params.Values;

        public Parameter this[string key] => _internal_params[key];

        public void Add(string key, Parameter value) => register_parameter(key, value);

        public void Add((string, Parameter) item) => Add(item.Item1, item.Item2);

        public bool ContainsKey(string key) => _internal_params.ContainsKey(key);

        public IEnumerator<(string, Parameter)> GetEnumerator() => _internal_params.Select(p => (p.Key, p.Value)).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
