using Recsys.Torch.Modules;
using Recsys.Torch.Optim;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class optim
        {
            /// <summary>Gradient descent, with momentum as PyTorch has it: b ← μb + (1-τ)g, θ ← θ - lr·b (Nesterov: g + μb).</summary>
            public static SGD SGD(
                IEnumerable<Parameter> parameters, double learningRate, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false,
                bool maximize = false) =>
                new(parameters, learningRate, momentum, dampening, weight_decay, nesterov, maximize);

            public static SGD SGD(
                IEnumerable<(string name, Parameter parameter)> parameters, double learningRate, double momentum = 0, double dampening = 0, double weight_decay = 0,
                bool nesterov = false, bool maximize = false) =>
                new(parameters.Select(p => p.parameter), learningRate, momentum, dampening, weight_decay, nesterov, maximize);

            public static SGD SGD(
                IEnumerable<SGD.ParamGroup> parameters, double learningRate, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false,
                bool maximize = false) =>
                new(parameters, learningRate, momentum, dampening, weight_decay, nesterov, maximize);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public class SGD : GroupedOptimizer, optim.IMomentum
    {
        private readonly Options _defaults;

        public SGD(
            IEnumerable<Parameter> parameters, double lr, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false)
            : this([new ParamGroup { Parameters = parameters }], lr, momentum, dampening, weight_decay, nesterov, maximize)
        {
        }

        public SGD(
            IEnumerable<ParamGroup> parameters, double lr, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false, bool maximize = false)
        {
            _defaults = new Options
            {
                LearningRate = lr,
                momentum = momentum,
                dampening = dampening,
                weight_decay = weight_decay,
                nesterov = nesterov,
                maximize = maximize,
            };
            Check(_defaults);
            foreach (ParamGroup group in parameters)
            {
                add_param_group(group);
            }
        }

        public double Momentum
        {
            get => _defaults.momentum!.Value;
            set => _defaults.momentum = value;
        }

        private protected override OptimizerOptions Complete(OptimizerOptions? options)
        {
            Options own = options as Options ?? new Options { LearningRate = options?.LearningRate };
            own.LearningRate ??= _defaults.LearningRate;
            own.momentum ??= _defaults.momentum;
            own.dampening ??= _defaults.dampening;
            own.weight_decay ??= _defaults.weight_decay;
            own.nesterov ??= _defaults.nesterov;
            own.maximize ??= _defaults.maximize;
            Check(own);
            return own;
        }

        private protected override string[] Slots(Modules.ParamGroup group) => ((Options)group.Options!).momentum != 0 ? ["momentum_buffer"] : [];

        private protected override void Update(Modules.ParamGroup group, GroupState state)
        {
            var o = (Options)group.Options!;
            NativeOptimizer.Sgd(state.Parameters, state.Slots, state.Steps, new NativeOptimizer.SgdFactors
            {
                LearningRate = o.LearningRate!.Value,
                Momentum = state.Slots.Length == 0 ? 0 : o.momentum!.Value,
                Dampening = o.dampening!.Value,
                WeightDecay = o.weight_decay!.Value,
                Nesterov = o.nesterov!.Value ? 1 : 0,
                Maximize = o.maximize!.Value ? 1 : 0,
            });
        }

        private static void Check(Options o)
        {
            Require(o.LearningRate >= 0, "learning rate", o.LearningRate!.Value, "at least 0");
            Require(o.momentum >= 0, "momentum", o.momentum!.Value, "at least 0");
            Require(o.weight_decay >= 0, "weight_decay", o.weight_decay!.Value, "at least 0");
            Require(o.nesterov != true || (o.momentum > 0 && o.dampening == 0), "dampening", o.dampening!.Value, "0, with momentum above 0, for Nesterov's momentum");
        }

        public class Options : OptimizerOptions
        {
            public double? momentum { get; set; }

            public double? dampening { get; set; }

            public double? weight_decay { get; set; }

            public bool? nesterov { get; set; }

            public bool? maximize { get; set; }
        }

        public class ParamGroup : ParamGroup<Options>, optim.IMomentum
        {
            public ParamGroup()
            {
            }

            public ParamGroup(IEnumerable<Parameter> parameters, Options options)
                : base(parameters, options)
            {
            }

            public ParamGroup(
                IEnumerable<Parameter> parameters, double lr = 1e-3, double momentum = 0, double dampening = 0, double weight_decay = 0, bool nesterov = false,
                bool maximize = false)
                : base(parameters, new Options { LearningRate = lr, momentum = momentum, dampening = dampening, weight_decay = weight_decay, nesterov = nesterov, maximize = maximize })
            {
            }

            public double Momentum
            {
                get => Options.momentum!.Value;
                set => Options.momentum = value;
            }
        }
    }
}
