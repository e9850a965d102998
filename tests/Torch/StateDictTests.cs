using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

public sealed class StateDictTests
{
    [Fact]
    public void A_state_that_fits_is_copied_whole_buffers_included()
    {
        using var scope = NewDisposeScope();
        using var from = Module(1);
        using var to = Module(2);
        var weight = to.parameters().First();
        to.Restore(from.state_dict());
        Assert.Equal(Bytes(from), Bytes(to));
        Assert.Equal(from.parameters().First().Bytes(), weight.Bytes()); // in place: an optimiser that holds it goes on
        Assert.True(weight.requires_grad);
    }

    [Theory]
    [InlineData("'0.weight' is missing")]
    [InlineData("'extra' is unknown")]
    [InlineData("'0.weight' is Float32 [1, 3], expected Float32 [4, 3]")] // TorchSharp's own would broadcast it
    [InlineData("'1.running_var' is Float32 [], expected Float32 [4]")]
    [InlineData("'0.bias' is Float64 [4], expected Float32 [4]")]
    [InlineData("'1.num_batches_tracked' is Float32 [], expected Int64 []")]
    public void What_does_not_fit_is_refused_by_name_and_nothing_is_written(string fault)
    {
        using var scope = NewDisposeScope();
        using var module = Module(1);
        using var other = Module(2);
        var state = other.state_dict();
        string name = fault.Split('\'')[1];
        _ = fault switch
        {
            _ when fault.Contains("missing", StringComparison.Ordinal) => state.Remove(name),
            _ when fault.Contains("[1, 3]", StringComparison.Ordinal) => (state[name] = ones(1, 3)) is not null,
            _ when fault.Contains("Float64", StringComparison.Ordinal) => (state[name] = ones(4, dtype: ScalarType.Float64)) is not null,
            _ => (state[name] = tensor(1f)) is not null,
        };
        var before = Bytes(module);
        Refused(fault, () => module.Restore(state));
        Assert.Equal(before, Bytes(module));
    }

    [Fact]
    public void All_faults_are_listed_at_once_and_a_long_list_is_cut()
    {
        using var scope = NewDisposeScope();
        using var module = Module(1);
        Refused("'1.bias' is missing; ", () => module.Restore(new Dictionary<string, Tensor> { ["x"] = ones(1) }));
        Refused("; and 4 more.", () => module.Restore(Enumerable.Range(0, 5).ToDictionary(i => $"x{i}", _ => ones(1))));
    }

    private static nn.Module<Tensor, Tensor> Module(int seed)
    {
        manual_seed(seed);
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4));
    }

    private static byte[] Bytes(nn.Module module) =>
        [.. module.state_dict().OrderBy(pair => pair.Key).SelectMany(pair => pair.Value.Bytes())];
}
