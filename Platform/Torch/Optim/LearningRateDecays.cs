using static Recsys.Torch.torch.optim.lr_scheduler.impl;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class optim
    {
        public static partial class lr_scheduler
        {
            /// <summary>The first rate times factor until total_iters, then the first rate.</summary>
            public static LRScheduler ConstantLR(Optimizer optimizer, double factor = 1.0 / 3, int total_iters = 5, int last_epoch = -1) =>
                new ConstantLR(optimizer, factor, total_iters, last_epoch);

            /// <summary>Times gamma every epoch.</summary>
            public static LRScheduler ExponentialLR(Optimizer optimizer, double gamma = 0.1, int last_epoch = -1) => new ExponentialLR(optimizer, gamma, last_epoch);

            /// <summary>Times gamma at each milestone.</summary>
            public static LRScheduler MultiStepLR(Optimizer optimizer, IList<int> milestones, double gamma = 0.1, int last_epoch = -1) =>
                new MultiStepLR(optimizer, milestones, gamma, last_epoch);

            /// <summary>The first rate times (1 - t / total_iters)^power, then 0.</summary>
            public static LRScheduler PolynomialLR(Optimizer optimizer, int total_iters = 5, int power = 1, int last_epoch = -1) =>
                new PolynomialLR(optimizer, total_iters, power, last_epoch);

            public static partial class impl
            {
                /// <summary>A factor of the first rate that depends on the epoch alone, applied to the rate before so that schedulers can be stacked.</summary>
                public abstract class FactorLR : LRScheduler
                {
                    private protected FactorLR(Optimizer optimizer, int last_epoch)
                        : base(optimizer, last_epoch)
                    {
                    }

                    private protected abstract double Factor(int epoch);

                    private protected override double Next(int i)
                    {
                        double before = LastEpoch == 0 ? 1 : Factor(LastEpoch - 1);
                        return before == 0 ? 0 : Groups[i].LearningRate * Factor(LastEpoch) / before;
                    }

                    private protected override double Closed(int i) => BaseRates[i] * Factor(LastEpoch);
                }

                public sealed class ConstantLR : FactorLR
                {
                    private readonly double _factor;
                    private readonly int _total;

                    public ConstantLR(Optimizer optimizer, double factor = 1.0 / 3, int total_iters = 5, int last_epoch = -1)
                        : base(optimizer, last_epoch)
                    {
                        if (factor is not (> 0 and <= 1) || total_iters < 0)
                        {
                            throw new ArgumentException($"factor {factor} must be in (0, 1], total_iters {total_iters} at least 0");
                        }

                        (_factor, _total) = (factor, total_iters);
                        step();
                    }

                    private protected override double Factor(int epoch) => epoch < _total ? _factor : 1;
                }

                public sealed class ExponentialLR : FactorLR
                {
                    private readonly double _gamma;

                    public ExponentialLR(Optimizer optimizer, double gamma = 0.1, int last_epoch = -1)
                        : base(optimizer, last_epoch)
                    {
                        _gamma = gamma;
                        step();
                    }

                    private protected override double Factor(int epoch) => Math.Pow(_gamma, epoch);
                }

                public sealed class MultiStepLR : FactorLR
                {
                    private readonly int[] _milestones;
                    private readonly double _gamma;

                    public MultiStepLR(Optimizer optimizer, IList<int> milestones, double gamma = 0.1, int last_epoch = -1)
                        : base(optimizer, last_epoch)
                    {
                        (_milestones, _gamma) = ([.. milestones], gamma);
                        step();
                    }

                    private protected override double Factor(int epoch) => Math.Pow(_gamma, _milestones.Count(m => m <= epoch));
                }

                public sealed class PolynomialLR : FactorLR
                {
                    private readonly int _total;
                    private readonly int _power;

                    public PolynomialLR(Optimizer optimizer, int total_iters = 5, int power = 1, int last_epoch = -1)
                        : base(optimizer, last_epoch)
                    {
                        ArgumentOutOfRangeException.ThrowIfLessThan(total_iters, 1);
                        (_total, _power) = (total_iters, power);
                        step();
                    }

                    private protected override double Factor(int epoch) => Math.Pow(1 - (Math.Min(epoch, _total) / (double)_total), _power);
                }
            }
        }
    }
}
