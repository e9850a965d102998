using static Recsys.Torch.torch.optim.lr_scheduler.impl;

namespace Recsys.Torch;

public static partial class torch
{
    public static partial class optim
    {
        public static partial class lr_scheduler
        {
            /// <summary>Sets the optimiser's learning rates; call step() once an epoch (or a batch) after the optimiser's.</summary>
            public abstract class LRScheduler
            {
                private protected LRScheduler(Optimizer optimizer, int last_epoch)
                {
                    ArgumentNullException.ThrowIfNull(optimizer);
                    Groups = [.. optimizer.ParamGroups];
                    BaseRates = [.. Groups.Select(g => g.InitialLearningRate)];
                    LastEpoch = last_epoch;
                }

                internal ILearningRateController[] Groups { get; }

                internal double[] BaseRates { get; }

                internal int LastEpoch { get; set; }

                public virtual void step() => step(null);

                /// <summary>Goes to the next epoch, or to <paramref name="epoch"/> by the closed form.</summary>
                public virtual void step(int? epoch)
                {
                    LastEpoch = epoch ?? LastEpoch + 1;
                    double[] rates = [.. Enumerable.Range(0, Groups.Length).Select(i => epoch is null ? Next(i) : Closed(i))];
                    for (int i = 0; i < rates.Length; i++)
                    {
                        Groups[i].LearningRate = rates[i];
                    }
                }

                public IEnumerable<double> get_last_lr() => Groups.Select(g => g.LearningRate);

                /// <summary>The rate of group <paramref name="i"/> at LastEpoch, from the rate before: so schedulers can be stacked.</summary>
                private protected abstract double Next(int i);

                /// <summary>The rate of group <paramref name="i"/> at LastEpoch, from its first rate.</summary>
                private protected virtual double Closed(int i) => Next(i);
            }

            /// <summary>The first rate times a function of the epoch; warm-ups of any shape are written so.</summary>
            public static LRScheduler LambdaLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1) => new LambdaLR(optimizer, lr_lambda, last_epoch);

            /// <summary>Times gamma every step_size epochs.</summary>
            public static LRScheduler StepLR(Optimizer optimizer, int step_size, double gamma = 0.1, int last_epoch = -1) =>
                new StepLR(optimizer, step_size, gamma, last_epoch);

            /// <summary>From start_factor to end_factor of the first rate in total_iters equal steps: a linear warm-up.</summary>
            public static LRScheduler LinearLR(
                Optimizer optimizer, double start_factor = 1.0 / 3, double end_factor = 1.0, int total_iters = 5, int last_epoch = -1) =>
                new LinearLR(optimizer, start_factor, end_factor, total_iters, last_epoch);

            /// <summary>Half a cosine from the first rate to eta_min in T_max epochs (Loshchilov and Hutter 2017, without restarts).</summary>
            public static LRScheduler CosineAnnealingLR(Optimizer optimizer, double T_max, double eta_min = 0, int last_epoch = -1) =>
                new CosineAnnealingLR(optimizer, T_max, eta_min, last_epoch);

            /// <summary>One scheduler after the other, changing at the milestones: a warm-up and then a cosine, say.</summary>
            public static LRScheduler SequentialLR(Optimizer optimizer, IEnumerable<LRScheduler> schedulers, IEnumerable<int> milestones, int last_epoch = -1) =>
                new SequentialLR(optimizer, schedulers, milestones, last_epoch);

            public static partial class impl
            {
                public sealed class LambdaLR : LRScheduler
                {
                    private readonly Func<int, double> _factor;

                    public LambdaLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1)
                        : base(optimizer, last_epoch)
                    {
                        _factor = lr_lambda;
                        step();
                    }

                    private protected override double Next(int i) => BaseRates[i] * _factor(LastEpoch);
                }

                public sealed class StepLR : LRScheduler
                {
                    private readonly int _every;
                    private readonly double _gamma;

                    public StepLR(Optimizer optimizer, int step_size, double gamma = 0.1, int last_epoch = -1)
                        : base(optimizer, last_epoch)
                    {
                        ArgumentOutOfRangeException.ThrowIfLessThan(step_size, 1);
                        (_every, _gamma) = (step_size, gamma);
                        step();
                    }

                    private protected override double Next(int i) =>
                        LastEpoch == 0 || LastEpoch % _every != 0 ? Groups[i].LearningRate : Groups[i].LearningRate * _gamma;

                    private protected override double Closed(int i) => BaseRates[i] * Math.Pow(_gamma, LastEpoch / _every);
                }

                public sealed class LinearLR : LRScheduler
                {
                    private readonly double _start;
                    private readonly double _end;
                    private readonly int _total;

                    public LinearLR(Optimizer optimizer, double start_factor = 1.0 / 3, double end_factor = 1.0, int total_iters = 5, int last_epoch = -1)
                        : base(optimizer, last_epoch)
                    {
                        if (start_factor is not (> 0 and <= 1) || end_factor is not (>= 0 and <= 1) || total_iters < 1)
                        {
                            throw new ArgumentException(
                                $"start factor {start_factor} must be in (0, 1], end factor {end_factor} in [0, 1], total_iters {total_iters} at least 1");
                        }

                        (_start, _end, _total) = (start_factor, end_factor, total_iters);
                        step();
                    }

                    private protected override double Next(int i) => LastEpoch switch
                    {
                        0 => Groups[i].LearningRate * _start,
                        var t when t > _total => Groups[i].LearningRate,
                        var t => Groups[i].LearningRate * (1 + (_end - _start) / (_total * _start + (t - 1) * (_end - _start))),
                    };

                    private protected override double Closed(int i) => BaseRates[i] * (_start + (_end - _start) * Math.Min(_total, LastEpoch) / _total);
                }

                public sealed class CosineAnnealingLR : LRScheduler
                {
                    private readonly double _period;
                    private readonly double _least;

                    public CosineAnnealingLR(Optimizer optimizer, double T_max, double eta_min = 0, int last_epoch = -1)
                        : base(optimizer, last_epoch)
                    {
                        if (T_max is not > 0)
                        {
                            throw new ArgumentException($"T_max is {T_max}; it must be above 0");
                        }

                        (_period, _least) = (T_max, eta_min);
                        step();
                    }

                    private protected override double Next(int i)
                    {
                        if (LastEpoch == 0)
                        {
                            return Groups[i].LearningRate;
                        }

                        if ((LastEpoch - 1 - _period) % (2 * _period) == 0)
                        {
                            return Groups[i].LearningRate + (BaseRates[i] - _least) * (1 - Math.Cos(Math.PI / _period)) / 2;
                        }

                        return (1 + Math.Cos(Math.PI * LastEpoch / _period)) / (1 + Math.Cos(Math.PI * (LastEpoch - 1) / _period))
                            * (Groups[i].LearningRate - _least) + _least;
                    }

                    private protected override double Closed(int i) =>
                        _least + (BaseRates[i] - _least) * (1 + Math.Cos(Math.PI * LastEpoch / _period)) / 2;
                }

                public sealed class SequentialLR : LRScheduler
                {
                    private readonly LRScheduler[] _schedulers;
                    private readonly int[] _milestones;

                    public SequentialLR(Optimizer optimizer, IEnumerable<LRScheduler> schedulers, IEnumerable<int> milestones, int last_epoch = -1)
                        : base(optimizer, last_epoch + 1)
                    {
                        (_schedulers, _milestones) = ([.. schedulers], [.. milestones]);
                        if (_schedulers.Length != _milestones.Length + 1)
                        {
                            throw new ArgumentException($"{_schedulers.Length} schedulers change at {_schedulers.Length - 1} milestones, got {_milestones.Length}");
                        }

                        // Each scheduler has made its first step when it was built; undo that, then take the first one's.
                        for (int i = 0; i < Groups.Length; i++)
                        {
                            Groups[i].LearningRate = BaseRates[i];
                        }

                        foreach (LRScheduler scheduler in _schedulers)
                        {
                            scheduler.LastEpoch--;
                        }

                        _schedulers[0].step();
                    }

                    public override void step()
                    {
                        LastEpoch++;
                        int now = _milestones.Count(m => m <= LastEpoch);
                        if (now > 0 && _milestones[now - 1] == LastEpoch)
                        {
                            _schedulers[now].step(0);
                        }
                        else
                        {
                            _schedulers[now].step();
                        }
                    }

                    public override void step(int? epoch)
                    {
                        if (epoch is not null)
                        {
                            throw new NotSupportedException("a sequence of schedulers only goes forward; call step()");
                        }

                        step();
                    }

                    private protected override double Next(int i) => Groups[i].LearningRate;
                }
            }
        }
    }
}
