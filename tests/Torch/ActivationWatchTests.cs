using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests;

public class ActivationWatchTests
{
    [Fact]
    public void A_NaN_is_found_where_it_is_made_and_its_module_is_named()
    {
        using var scope = NewDisposeScope();
        using var model = new Net(broken: true);
        using var watch = new ActivationWatch(model);
        var error = Assert.Throws<NotANumberException>(() => model.call(randn(4, 6)));
        Assert.Equal("second", error.Module);
        Assert.Equal("log", error.Operator);
        Assert.Contains("Float32[4, 6]", error.Message);
        Assert.DoesNotContain("already", error.Message);
    }

    [Fact]
    public void A_NaN_in_a_weight_or_in_the_input_is_told_apart()
    {
        using var scope = NewDisposeScope();
        using var model = new Net(broken: false);
        Tensor nothing = full(2, 6, double.NaN);
        using (new ActivationWatch(model))
        {
            var input = Assert.Throws<NotANumberException>(() => model.call(nothing));
            Assert.Equal("first", input.Module);
            Assert.Contains("its argument 0 had 12 already", input.Message);
        }

        using (no_grad())
        {
            model.Second.weight[0, 0] = double.NaN;
        }

        using (new ActivationWatch(model))
        {
            Assert.Contains("its parameter second.weight had 1 already", Assert.Throws<NotANumberException>(() => model.call(randn(2, 6))).Message);
        }

        Assert.True(model.call(randn(2, 6)).isnan().any().ToBoolean()); // outside, nothing is looked at
    }

    [Fact]
    public void Statistics_by_module_are_those_of_its_values()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Linear(3, 2, hasBias: false);
        using (no_grad())
        {
            model.weight.copy_(tensor(new float[,] { { 1, 0, 0 }, { 0, 2, 0 } }));
        }

        using var watch = new ActivationWatch(model, stopAtNaN: false);
        model.call(tensor(new float[,] { { 1, 2, 0 } })); // 1 4
        model.call(tensor(new float[,] { { -3, 5, 0 }, { float.PositiveInfinity, 0, 0 } })); // -3 10, inf NaN: 0 times infinity
        var seen = watch.Statistics.Single();
        Assert.Equal((6, 4), (seen.Count, (int)(seen.Count - seen.NaN - seen.Infinite)));
        Assert.Equal(3, seen.Mean, 1e-12); // 1 4 -3 10
        Assert.Equal(Math.Sqrt((4 + 1 + 36 + 49) / 4.0), seen.Deviation, 1e-12);
        Assert.Equal(10, seen.LargestMagnitude);
        Assert.Equal(Math.Sqrt(1 + 16 + 9 + 100), seen.Norm, 1e-12);
        Assert.NotNull(watch.First);
    }

    [Fact]
    public void Gradients_are_measured_and_a_NaN_among_them_names_its_module()
    {
        using var scope = NewDisposeScope();
        using var model = new Net(broken: false);
        model.call(ones(1, 6)).sum().backward();
        GradientStatistics.RequireNumbers(model);
        var bias = GradientStatistics.Of(model).Single(s => s.Name == "second.bias");
        Assert.Equal((6, 1, 0), (bias.Count, bias.Mean, bias.Deviation));
        model.zero_grad();

        // √ at 0 has an infinite slope, and 0 times infinity is no number: the activations are fine, the gradients are not.
        (model.Second.call(model.First.call(ones(1, 6)).mul(0).sqrt()) * 1).sum().backward();
        var error = Assert.Throws<NotANumberException>(() => GradientStatistics.RequireNumbers(model));
        Assert.Equal("first", error.Module);
        Assert.Contains("first.weight (36 of 36)", error.Message);
    }

    [Fact]
    public void Leaving_it_leaves_no_tensor_and_other_threads_are_not_watched()
    {
        long before = LiveTensorCount;
        using (NewDisposeScope())
        using (var model = new Net(broken: true))
        using (new ActivationWatch(model))
        {
            bool other = false;
            var thread = new Thread(() =>
            {
                using var inner = NewDisposeScope();
                other = tensor(-1.0).log().isnan().ToBoolean();
            });
            thread.Start();
            thread.Join();
            Assert.True(other);
            Assert.Throws<NotANumberException>(() => model.call(randn(2, 6)));
        }

        Assert.Equal(before, LiveTensorCount);
    }

    private sealed class Net : nn.Module<Tensor, Tensor>
    {
        private readonly Linear first = nn.Linear(6, 6);
        private readonly Linear second = nn.Linear(6, 6);
        private readonly bool _broken;

        public Net(bool broken)
            : base(nameof(Net))
        {
            _broken = broken;
            RegisterComponents();
        }

        public Linear First => first;

        public Linear Second => second;

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var y = second.forward(first.forward(input).relu()); // forward, not call
            return (_broken ? (y.square() * -1).log() : y).MoveToOuterDisposeScope();
        }
    }
}
