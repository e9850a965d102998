using Recsys.Torch.Modules;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class optim
    {
        /// <summary>Changes parameters along their gradients. One instance belongs to one thread at a time.</summary>
        public abstract class Optimizer : IDisposable
        {
            /// <summary>Learning rates by parameter group, for schedulers.</summary>
            public abstract IEnumerable<ILearningRateController> ParamGroups { get; }

            public abstract IEnumerable<Parameter> parameters();

            /// <summary>Removes all gradients; the next backward starts from nothing instead of adding to zeros.</summary>
            public virtual void zero_grad() => Optim.NativeOptimizer.ZeroGradients([.. parameters()], setToNone: true);

            /// <summary>One update. <paramref name="closure"/>, where given, computes gradients first.</summary>
            /// <returns>The closure's loss, else null.</returns>
            public abstract Tensor step(Func<Tensor>? closure = null);

            public abstract void add_param_group(ParamGroup param_group);

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            /// <summary>Frees the state; the parameters are the module's.</summary>
            protected virtual void Dispose(bool disposing)
            {
            }
        }

        public interface ILearningRateController
        {
            double LearningRate { get; set; }

            double InitialLearningRate { get; set; }
        }

        public interface IMomentum
        {
            double Momentum { get; set; }
        }

        public interface IBetas
        {
            (double, double) Betas { get; set; }
        }
    }
}
