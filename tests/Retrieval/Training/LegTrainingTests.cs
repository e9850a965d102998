using Recsys.Retrieval.Legs;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests.Training;

/// <summary>Looks, patience and the best weights, on a weight that every step moves.</summary>
public sealed class LegTrainingTests : IDisposable
{
    private static readonly DenseOptions Options = Walks.Dense with { MinSteps = 40, MaxSteps = 40, Patience = 3 };

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void The_best_weights_are_kept_and_patience_ends_the_training()
    {
        using var run = new Run(Options);
        var weights = run.Look(0.1, 0.5, 0.3, 0.5, 0.4); // as good is not better
        Assert.True(run.Training.Done);
        Assert.Equal((10, 40), (run.Training.Step, run.Training.Total)); // 20 looks in 40 steps; five of them are done
        run.Training.Finish();
        Assert.Equal(weights[1], run.Weight);
        Assert.Equal(5, weights.Distinct().Count());
    }

    [Fact]
    public void A_better_look_gives_new_patience()
    {
        using var run = new Run(Options);
        var weights = run.Look(0.1, 0, 0, 0.2, 0, 0);
        Assert.False(run.Training.Done);
        run.Look(0);
        Assert.True(run.Training.Done);
        run.Training.Finish();
        Assert.Equal(weights[3], run.Weight);
    }

    [Fact]
    public void A_training_that_keeps_getting_better_goes_to_its_last_step()
    {
        using var run = new Run(Options);
        var weights = run.Look([.. Enumerable.Range(0, 20).Select(look => (double)look)]);
        Assert.Equal((40, true), (run.Training.Step, run.Training.Done));
        run.Training.Finish();
        Assert.Equal(weights[^1], run.Weight);
    }

    [Fact]
    public void Without_validation_targets_the_last_weights_are_kept()
    {
        using var run = new Run(Options);
        var weights = run.Look([.. Enumerable.Repeat(double.NaN, 20)]);
        Assert.Equal((40, true), (run.Training.Step, run.Training.Done));
        run.Training.Finish();
        Assert.Equal(weights[^1], run.Weight);
    }

    [Fact]
    public void A_resumed_training_knows_the_best_weights_and_how_often_it_missed()
    {
        var checkpoint = new TrainingCheckpoint(Path.Combine(_folder.Path, "leg.safetensors"), TimeSpan.Zero);
        List<float> before;
        using (var first = new Run(Options))
        {
            before = first.Look(0.5, 0.9, 0.1, 0.2);
            first.Training.Save(checkpoint, "this one");
        }

        using var strange = new Run(Options);
        strange.Training.Restore(checkpoint, "another");
        Assert.Equal(0, strange.Training.Step);

        using var whole = new Run(Options);
        var expected = whole.Look(0.5, 0.9, 0.1, 0.2, 0.8);
        using var second = new Run(Options);
        second.Training.Restore(checkpoint, "this one");
        Assert.Equal((8, false), (second.Training.Step, second.Training.Done));
        Assert.Equal(expected[4], Assert.Single(second.Look(0.8))); // the optimiser's state is there too
        Assert.True(second.Training.Done);
        second.Training.Finish();
        Assert.Equal(before[1], second.Weight);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>A training of one weight, looked at with scores that a test says.</summary>
    private sealed class Run : IDisposable
    {
        private readonly Linear _module = Linear(1, 1, hasBias: false);

        public Run(LegOptions options)
        {
            using (no_grad())
            {
                _module.weight!.fill_(3);
            }

            Training = new Descent(_module, Tiny.Sequences(20, 40, 9, 1), options);
        }

        public Descent Training { get; }

        public float Weight => _module.weight!.item<float>();

        /// <returns>[looks] the weight at each.</returns>
        public List<float> Look(params double[] scores)
        {
            var weights = new List<float>();
            foreach (double score in scores)
            {
                Assert.False(Training.Done);
                do
                {
                    Training.Advance();
                }
                while (!Training.LookDue);
                weights.Add(Weight);
                Training.Judge(score);
            }

            return weights;
        }

        public void Dispose()
        {
            Training.Dispose();
            _module.Dispose();
        }
    }

    private sealed class Descent(Linear module, SequenceSet training, LegOptions options)
        : LegTraining([module], training, options, new StepDraws(Masks: 1 + (2 * options.Layers)), seed: 1, CPU, Ranks.Alone)
    {
        protected override (Tensor Loss, Tensor Objective) Losses(StepPlan plan)
        {
            var loss = module.weight!.pow(2).sum();
            return (loss, loss);
        }
    }
}
