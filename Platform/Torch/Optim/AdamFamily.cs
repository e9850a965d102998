using Recsys.Torch.Optim;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Modules;

public class AdamOptions : OptimizerOptions
{
    public double? beta1 { get; set; }

    public double? beta2 { get; set; }

    public double? eps { get; set; }

    public double? weight_decay { get; set; }

    public bool? amsgrad { get; set; }

    public bool? maximize { get; set; }
}

/// <summary>
/// m ← β₁m + (1-β₁)g, v ← β₂v + (1-β₂)g², θ ← θ - lr/(1-β₁ᵗ) · m / (√v/√(1-β₂ᵗ) + ε), with PyTorch's order of operations.
/// </summary>
public abstract class AdamFamily : GroupedOptimizer, optim.IBetas
{
    private readonly bool _decoupled;
    private readonly AdamOptions _defaults;

    private protected AdamFamily(bool decoupled, double lr, double beta1, double beta2, double eps, double weight_decay, bool amsgrad, bool maximize)
    {
        _decoupled = decoupled;
        _defaults = new AdamOptions
        {
            LearningRate = lr,
            beta1 = beta1,
            beta2 = beta2,
            eps = eps,
            weight_decay = weight_decay,
            amsgrad = amsgrad,
            maximize = maximize,
        };
        Check(_defaults);
    }

    public (double, double) Betas
    {
        get => (_defaults.beta1!.Value, _defaults.beta2!.Value);
        set => (_defaults.beta1, _defaults.beta2) = value;
    }

    private protected abstract AdamOptions NewOptions();

    private protected override OptimizerOptions Complete(OptimizerOptions? options)
    {
        AdamOptions own = options as AdamOptions ?? NewOptions();
        own.LearningRate ??= options?.LearningRate ?? _defaults.LearningRate;
        own.beta1 ??= _defaults.beta1;
        own.beta2 ??= _defaults.beta2;
        own.eps ??= _defaults.eps;
        own.weight_decay ??= _defaults.weight_decay;
        own.amsgrad ??= _defaults.amsgrad;
        own.maximize ??= _defaults.maximize;
        Check(own);
        return own;
    }

    private protected override string[] Slots(ParamGroup group) =>
        ((AdamOptions)group.Options!).amsgrad == true ? ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"] : ["exp_avg", "exp_avg_sq"];

    private protected override void Update(ParamGroup group, GroupState state)
    {
        var o = (AdamOptions)group.Options!;
        NativeOptimizer.Adam(state.Parameters, state.Slots, state.Steps, new NativeOptimizer.AdamFactors
        {
            LearningRate = o.LearningRate!.Value,
            Beta1 = o.beta1!.Value,
            Beta2 = o.beta2!.Value,
            Epsilon = o.eps!.Value,
            WeightDecay = o.weight_decay!.Value,
            Amsgrad = o.amsgrad!.Value ? 1 : 0,
            Maximize = o.maximize!.Value ? 1 : 0,
            Decoupled = _decoupled ? 1 : 0,
        });
    }

    private static void Check(AdamOptions o)
    {
        Require(o.LearningRate >= 0, "learning rate", o.LearningRate!.Value, "at least 0");
        Require(o.eps >= 0, "eps", o.eps!.Value, "at least 0");
        Require(o.beta1 is >= 0 and < 1, "beta1", o.beta1!.Value, "in [0, 1)");
        Require(o.beta2 is >= 0 and < 1, "beta2", o.beta2!.Value, "in [0, 1)");
        Require(o.weight_decay >= 0, "weight_decay", o.weight_decay!.Value, "at least 0");
    }
}
