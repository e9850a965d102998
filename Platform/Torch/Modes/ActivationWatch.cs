using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// While it lives, looks at the result of every operator that the creating thread calls, and tells which module it belongs to: the one
/// whose parameter was last an argument. So it sees the inside of a module whether it is entered by call or by forward. It makes a
/// step many times slower; TorchSharp has no such thing.
/// </summary>
public sealed class ActivationWatch : IDisposable
{
    [ThreadStatic]
    private static ActivationWatch? _current;

    private static int _watches;

    private readonly Dictionary<Tensor, (string Module, string Name)> _owners = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, TensorStatistics> _seen = [];
    private readonly List<string> _order = [];
    private readonly bool _stop;
    private readonly ActivationWatch? _outer;
    private string _module;
    private bool _looking;

    /// <param name="module">Whose parameters name the places.</param>
    /// <param name="stopAtNaN">False counts and goes on.</param>
    public ActivationWatch(nn.Module module, bool stopAtNaN = true)
    {
        ArgumentNullException.ThrowIfNull(module);
        string top = _module = module.GetName();
        foreach (var (name, tensor) in module.named_parameters().Select(p => (p.name, (Tensor)p.parameter)).Concat(module.named_buffers()))
        {
            int dot = name.LastIndexOf('.');
            _owners[tensor] = (dot < 0 ? top : name[..dot], name);
        }

        _stop = stopAtNaN;
        _outer = _current;
        _current = this;
        Interlocked.Increment(ref _watches);
    }

    /// <summary>Where the first NaN came from; null where there was none.</summary>
    public NotANumberException? First { get; private set; }

    /// <summary>The activations by module, in the order of their first use.</summary>
    public IReadOnlyList<TensorStatistics> Statistics => [.. _order.Select(name => _seen[name])];

    /// <summary>Whether any thread watches: the only cost of an operator while none does.</summary>
    internal static bool Any => _watches != 0;

    public void Dispose()
    {
        if (_current == this)
        {
            _current = _outer;
            Interlocked.Decrement(ref _watches);
        }
    }

    internal static void Saw(string op, ReadOnlySpan<Value> arguments, params ReadOnlySpan<Tensor> results)
    {
        if (_current is not { _looking: false } watch)
        {
            return;
        }

        watch._looking = true; // what follows calls operators too
        try
        {
            foreach (var result in results)
            {
                watch.Look(op, arguments, result);
            }
        }
        finally
        {
            watch._looking = false;
        }
    }

    private void Look(string op, ReadOnlySpan<Value> arguments, Tensor result)
    {
        foreach (ref readonly var argument in arguments)
        {
            if (argument.Reference is Tensor tensor && _owners.TryGetValue(tensor, out var owner))
            {
                _module = owner.Module;
                break;
            }
        }

        if (!result.is_floating_point() || result.numel() == 0 || op.StartsWith("empty", StringComparison.Ordinal))
        {
            return;
        }

        var statistics = TensorStatistics.Of(_module, result);
        if (_seen.TryGetValue(_module, out var before))
        {
            statistics = before.With(statistics);
        }
        else
        {
            _order.Add(_module);
        }

        long already = before?.NaN ?? 0;
        _seen[_module] = statistics;
        if (statistics.NaN == already || First is not null)
        {
            return;
        }

        First = new NotANumberException(
            _module, op,
            $"NaN in the result of {op}, {result.Signature}: {statistics.NaN - already} of {result.numel()} values, in or after module {_module}{Origin(arguments)}.");
        if (_stop)
        {
            throw First;
        }
    }

    private string Origin(ReadOnlySpan<Value> arguments)
    {
        for (int i = 0; i < arguments.Length; i++)
        {
            if (arguments[i].Reference is Tensor tensor && tensor.is_floating_point() && TensorStatistics.Of("", tensor) is { NaN: > 0 } found)
            {
                string name = _owners.TryGetValue(tensor, out var owner) ? $"parameter {owner.Name}" : $"argument {i}";
                return $"; its {name} had {found.NaN} already";
            }
        }

        return "";
    }
}
