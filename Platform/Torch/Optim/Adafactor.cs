using Recsys.Torch.Optim;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// Adafactor (Shazeer and Stern 2018, Algorithms 4 and 5): steps relative to the size of each parameter, clipped updates, and a second
/// moment kept as row and column means, so that an n × m weight has n + m numbers of state. TorchSharp has no such optimiser.
/// </summary>
/// <remarks>
/// β̂₂ₜ = 1 - t^beta2_decay; R ← β̂₂ₜR + (1-β̂₂ₜ)·mean over columns of (g² + ε₁), C likewise; U = g / √(R C / mean R), divided by
/// max(1, RMS(U)/d); θ ← (1 - lr·λ)θ - max(ε₂, RMS(θ))·min(lr, 1/√t)·U. Only vectors keep the whole second moment.
/// </remarks>
public sealed class Adafactor : GroupedOptimizer
{
    private readonly Options _defaults;

    public Adafactor(
        IEnumerable<Parameter> parameters, double lr = 1e-2, double beta2_decay = -0.8, double eps1 = 1e-30, double eps2 = 1e-3, double d = 1, double weight_decay = 0)
        : this([new ParamGroup<Options>(parameters)], lr, beta2_decay, eps1, eps2, d, weight_decay)
    {
    }

    /// <param name="parameters">Groups; what an option leaves null comes from the other arguments.</param>
    /// <param name="lr">The relative step's bound: ρₜ = min(lr, 1/√t).</param>
    /// <param name="beta2_decay">The exponent of t in 1 - β̂₂ₜ, below 0.</param>
    /// <param name="eps1">Added to squared gradients.</param>
    /// <param name="eps2">The least size of a parameter that a step is relative to.</param>
    /// <param name="d">The root mean square above which an update is scaled down.</param>
    /// <param name="weight_decay">Decoupled: λ.</param>
    public Adafactor(
        IEnumerable<ParamGroup<Options>> parameters, double lr = 1e-2, double beta2_decay = -0.8, double eps1 = 1e-30, double eps2 = 1e-3, double d = 1,
        double weight_decay = 0)
    {
        _defaults = new Options { LearningRate = lr, beta2_decay = beta2_decay, eps1 = eps1, eps2 = eps2, d = d, weight_decay = weight_decay };
        Check(_defaults);
        foreach (ParamGroup group in parameters)
        {
            add_param_group(group);
        }
    }

    private protected override OptimizerOptions Complete(OptimizerOptions? options)
    {
        Options own = options as Options ?? new Options { LearningRate = options?.LearningRate };
        own.LearningRate ??= _defaults.LearningRate;
        own.beta2_decay ??= _defaults.beta2_decay;
        own.eps1 ??= _defaults.eps1;
        own.eps2 ??= _defaults.eps2;
        own.d ??= _defaults.d;
        own.weight_decay ??= _defaults.weight_decay;
        Check(own);
        return own;
    }

    private protected override string[] Slots(ParamGroup group) => ["exp_avg_sq_row", "exp_avg_sq_col", "exp_avg_sq"];

    private protected override (long[] Shape, ScalarType Dtype)? SlotLayout(Parameter parameter, string slot)
    {
        long[] shape = parameter.shape;
        bool factored = shape.Length >= 2;
        long[] own = slot switch
        {
            "exp_avg_sq_row" => factored ? shape[..^1] : [0],
            "exp_avg_sq_col" => factored ? [.. shape[..^2], shape[^1]] : [0],
            _ => factored ? [0] : shape,
        };
        // Squares of bfloat16 gradients need more than eight bits of fraction to be summed.
        return (own, parameter.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32);
    }

    private protected override void Update(ParamGroup group, GroupState state)
    {
        var o = (Options)group.Options!;
        NativeOptimizer.Adafactor(state.Parameters, state.Slots, state.Steps, new NativeOptimizer.AdafactorFactors
        {
            LearningRate = o.LearningRate!.Value,
            Beta2Decay = o.beta2_decay!.Value,
            Epsilon1 = o.eps1!.Value,
            Epsilon2 = o.eps2!.Value,
            ClipThreshold = o.d!.Value,
            WeightDecay = o.weight_decay!.Value,
        });
    }

    private static void Check(Options o)
    {
        Require(o.LearningRate >= 0, "learning rate", o.LearningRate!.Value, "at least 0");
        Require(o.beta2_decay < 0, "beta2_decay", o.beta2_decay!.Value, "below 0");
        Require(o.eps1 >= 0, "eps1", o.eps1!.Value, "at least 0");
        Require(o.eps2 >= 0, "eps2", o.eps2!.Value, "at least 0");
        Require(o.d > 0, "d", o.d!.Value, "above 0");
        Require(o.weight_decay >= 0, "weight_decay", o.weight_decay!.Value, "at least 0");
    }

    public sealed class Options : OptimizerOptions
    {
        public double? beta2_decay { get; set; }

        public double? eps1 { get; set; }

        public double? eps2 { get; set; }

        public double? d { get; set; }

        public double? weight_decay { get; set; }
    }
}
