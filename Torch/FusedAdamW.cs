using Recsys.Torch.Kernels;

namespace Recsys.Torch;

/// <summary>
/// AdamW (Loshchilov and Hutter 2019) whose step is one pass over memory on a CPU: TorchSharp's own walks each parameter ten times. State,
/// options and their files are TorchSharp's. Parameters without a gradient are left alone, as PyTorch does.
/// </summary>
public sealed class FusedAdamW : AdamW
{
    public FusedAdamW(IEnumerable<ParamGroup> groups)
        : base(groups)
    {
    }

    /// <param name="rate">Learning rate.</param>
    /// <param name="weightDecay">Decoupled weight decay.</param>
    public FusedAdamW(IEnumerable<Parameter> parameters, double rate, double weightDecay = 0)
        : base(parameters, rate, weight_decay: weightDecay)
    {
    }

    /// <summary>One step; with a closure, on CUDA, for element types other than float32, strides, amsgrad and maximize, TorchSharp's own.
    /// libtorch does not see the weights change: a graph made before the step must not be walked after it.</summary>
    public override Tensor step(Func<Tensor>? closure = null)
    {
        if (closure is not null || !_parameter_groups.All(Takes))
        {
            return base.step(closure!);
        }

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var calls = new List<AdamWTensor>();
        foreach (var group in _parameter_groups)
        {
            foreach (var parameter in group.Parameters)
            {
                if (parameter.grad is { } gradient)
                {
                    calls.Add(Call(parameter, gradient.contiguous(), (State)_state[parameter.Handle], (Options)group.Options));
                }
            }
        }

        KernelLibrary.AdamW([.. calls], calls.Count);
        GC.KeepAlive(this);
        return null!;
    }

    /// <summary>Sets the moments of some rows of a parameter to zero: the rows were put elsewhere, and where they went is past.</summary>
    /// <param name="rows">[count] int64</param>
    public void Forget(Parameter parameter, Tensor rows)
    {
        using var _ = no_grad();
        if (_state.TryGetValue(parameter.Handle, out var state) && state is State { exp_avg: not null } moments)
        {
            moments.exp_avg.index_fill_(0, rows, 0);
            moments.exp_avg_sq.index_fill_(0, rows, 0);
        }
    }

    private static bool Takes(TorchSharp.Modules.ParamGroup group) =>
        group.Options is Options { amsgrad: not true, maximize: not true }
        && group.Parameters.All(p => p.device.type == DeviceType.CPU && p.dtype == ScalarType.Float32 && p.is_contiguous());

    private static AdamWTensor Call(Parameter parameter, Tensor gradient, State state, Options options)
    {
        state.step++;
        double rate = options.LearningRate!.Value, beta1 = options.beta1!.Value, beta2 = options.beta2!.Value;
        return new AdamWTensor
        {
            Weight = parameter.Address(),
            Mean = state.exp_avg.Address(),
            Square = state.exp_avg_sq.Address(),
            Gradient = gradient.Address(),
            Length = parameter.numel(),
            Beta1 = (float)beta1,
            Beta2 = (float)beta2,
            MeanShare = (float)(1 - beta1),
            SquareShare = (float)(1 - beta2), // 1 − 0.999f would be off by 10⁻⁵ of itself
            Epsilon = (float)options.eps!.Value,
            Decay = (float)(1 - (rate * options.weight_decay!.Value)),
            Step = (float)(rate / (1 - Math.Pow(beta1, state.step))),
            RootCorrection = (float)Math.Sqrt(1 - Math.Pow(beta2, state.step)),
        };
    }
}
