using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

public sealed class WeightAverageTests
{
    [Theory]
    [InlineData(0.0)]
    [InlineData(0.5)]
    [InlineData(0.999)] // still in the warm-up after 40 updates
    public void The_average_follows_its_recursion_with_a_decay_that_warms_up(double decay)
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(tensor(new[] { 3f, -1f }));
        using var average = new WeightAverage([weight], decay);
        double[] expected = [3, -1];
        for (int t = 1; t <= 40; t++)
        {
            using (no_grad())
            {
                weight.add_(0.25 * t);
            }

            average.Update();
            double now = Math.Min(decay, (1.0 + t) / (10.0 + t));
            expected = [.. expected.Zip(weight.Doubles(), (mean, value) => (now * mean) + ((1 - now) * value))];
        }

        Assert.Equal(40, average.Updates);
        Close(expected, average.Averages[0].Doubles(), 1e-5);
    }

    [Fact]
    public void Averages_are_copies_until_they_are_applied()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(ones(3));
        using var average = new WeightAverage([weight], 0.9);
        using (no_grad())
        {
            weight.zero_();
        }

        Assert.Equal([1, 1, 1], average.Averages[0].Doubles());
        average.Apply();
        Assert.Equal([1, 1, 1], weight.Doubles());
        Assert.True(weight.requires_grad);
    }

    [Fact]
    public void Restored_it_goes_on_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(Random(1, 50).to(ScalarType.Float32));
        using var whole = new WeightAverage([weight], 0.99);
        whole.Update();
        Move(weight, 2);
        whole.Update();
        using var resumed = new WeightAverage([weight], 0.99);
        resumed.Restore([.. whole.Averages.Select(tensor => tensor.clone())], whole.Updates);
        Move(weight, 3);
        whole.Update();
        resumed.Update();
        Assert.Equal(whole.Updates, resumed.Updates);
        Assert.Equal(whole.Averages[0].Bytes(), resumed.Averages[0].Bytes());
    }

    [Fact]
    public void Averages_of_other_parameters_are_refused_and_nothing_is_written()
    {
        using var scope = NewDisposeScope();
        using var average = new WeightAverage([new Parameter(ones(3)), new Parameter(ones(2))], 0.9);
        Refused("1 averages are given, 2 are expected", () => average.Restore([zeros(3)], 5));
        Refused("average 1 is Float32 [1], expected Float32 [2]", () => average.Restore([zeros(3), zeros(1)], 5));
        Refused("average 1 is Float64 [2], expected Float32 [2]", () => average.Restore([zeros(3), Random(1, 2)], 5));
        Assert.Equal([1, 1, 1], average.Averages[0].Doubles());
        Assert.Equal(0, average.Updates);
    }

    [Fact]
    public void Made_and_updated_within_a_scope_it_outlives_it_and_its_end_frees_it()
    {
        var weight = new Parameter(ones(3));
        long before = LiveTensors();
        WeightAverage average;
        using (NewDisposeScope())
        {
            average = new WeightAverage([weight], 0.9);
            average.Update();
        }

        Assert.Equal([1, 1, 1], average.Averages[0].Doubles());
        average.Dispose();
        Assert.Equal(before, LiveTensors());
        weight.Dispose();
    }

    [Theory]
    [InlineData(1.0, "is 1;")]
    [InlineData(-0.1, "is -0.1;")]
    [InlineData(double.NaN, "is NaN;")]
    public void A_decay_outside_0_to_below_1_is_refused(double decay, string part) =>
        Refused(part + " allowed are 0 to below 1", () => new WeightAverage([], decay).Dispose());

    private static void Move(Parameter weight, ulong seed)
    {
        using var _ = no_grad();
        weight.copy_(Random(seed, 50));
    }
}
