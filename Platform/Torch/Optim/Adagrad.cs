using Recsys.Torch.Modules;
using Recsys.Torch.Optim;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class optim
        {
            /// <summary>s ← s + g², θ ← θ - lr/(1 + (t-1)·lr_decay) · g / (√s + ε) (Duchi et al. 2011).</summary>
            public static Adagrad Adagrad(
                IEnumerable<Parameter> parameters, double lr = 1e-2, double lr_decay = 0, double weight_decay = 0, double initial_accumulator_value = 0, double eps = 1e-10) =>
                new(parameters, lr, lr_decay, weight_decay, initial_accumulator_value, eps);

            public static Adagrad Adagrad(
                IEnumerable<(string name, Parameter parameter)> parameters, double lr = 1e-2, double lr_decay = 0, double weight_decay = 0,
                double initial_accumulator_value = 0, double eps = 1e-10) =>
                new(parameters.Select(p => p.parameter), lr, lr_decay, weight_decay, initial_accumulator_value, eps);

            public static Adagrad Adagrad(
                IEnumerable<Adagrad.ParamGroup> parameters, double lr = 1e-2, double lr_decay = 0, double weight_decay = 0, double initial_accumulator_value = 0,
                double eps = 1e-10) =>
                new(parameters, lr, lr_decay, weight_decay, initial_accumulator_value, eps);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public class Adagrad : GroupedOptimizer
    {
        private readonly Options _defaults;

        public Adagrad(
            IEnumerable<Parameter> parameters, double lr = 1e-2, double lr_decay = 0, double weight_decay = 0, double initial_accumulator_value = 0, double eps = 1e-10)
            : this([new ParamGroup { Parameters = parameters }], lr, lr_decay, weight_decay, initial_accumulator_value, eps)
        {
        }

        public Adagrad(
            IEnumerable<ParamGroup> parameters, double lr = 1e-2, double lr_decay = 0, double weight_decay = 0, double initial_accumulator_value = 0, double eps = 1e-10)
        {
            _defaults = new Options
            {
                LearningRate = lr,
                lr_decay = lr_decay,
                weight_decay = weight_decay,
                initial_accumulator_value = initial_accumulator_value,
                eps = eps,
            };
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
            own.lr_decay ??= _defaults.lr_decay;
            own.weight_decay ??= _defaults.weight_decay;
            own.initial_accumulator_value ??= _defaults.initial_accumulator_value;
            own.eps ??= _defaults.eps;
            Check(own);
            return own;
        }

        private protected override string[] Slots(Modules.ParamGroup group) => ["sum"];

        private protected override double InitialState(Modules.ParamGroup group) => ((Options)group.Options!).initial_accumulator_value!.Value;

        private protected override void Update(Modules.ParamGroup group, GroupState state)
        {
            var o = (Options)group.Options!;
            NativeOptimizer.Adagrad(state.Parameters, state.Slots, state.Steps, new NativeOptimizer.AdagradFactors
            {
                LearningRate = o.LearningRate!.Value,
                LearningRateDecay = o.lr_decay!.Value,
                WeightDecay = o.weight_decay!.Value,
                Epsilon = o.eps!.Value,
            });
        }

        private static void Check(Options o)
        {
            Require(o.LearningRate >= 0, "learning rate", o.LearningRate!.Value, "at least 0");
            Require(o.lr_decay >= 0, "lr_decay", o.lr_decay!.Value, "at least 0");
            Require(o.weight_decay >= 0, "weight_decay", o.weight_decay!.Value, "at least 0");
            Require(o.initial_accumulator_value >= 0, "initial_accumulator_value", o.initial_accumulator_value!.Value, "at least 0");
            Require(o.eps >= 0, "eps", o.eps!.Value, "at least 0");
        }

        public class Options : OptimizerOptions
        {
            public double? lr_decay { get; set; }

            public double? weight_decay { get; set; }

            public double? initial_accumulator_value { get; set; }

            public double? eps { get; set; }
        }

        public class ParamGroup : ParamGroup<Options>
        {
            public ParamGroup()
            {
            }

            public ParamGroup(IEnumerable<Parameter> parameters, Options options)
                : base(parameters, options)
            {
            }
        }
    }
}
