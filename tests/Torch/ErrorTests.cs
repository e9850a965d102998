namespace Recsys.Torch.Tests;

public class ErrorTests
{
    [Fact]
    public void A_mismatch_names_the_operator_the_shapes_and_the_types()
    {
        using var scope = NewDisposeScope();
        var e = Assert.Throws<TorchException>(() => ones(2, 3).matmul(ones(4, 5, dtype: float64)));
        Assert.Equal("matmul", e.Operator);
        Assert.Contains("Float32[2, 3]", e.Message, StringComparison.Ordinal);
        Assert.Contains("Float64[4, 5]", e.Message, StringComparison.Ordinal);
        Assert.IsAssignableFrom<System.Runtime.InteropServices.ExternalException>(e);
    }

    [Fact]
    public void An_unknown_operator_is_unsupported()
    {
        Assert.False(Dispatcher.Has("no_such_operator"));
        Assert.True(Dispatcher.Has("add.Tensor"));
        using var x = ones(1);
        Assert.Equal(TorchFault.Unsupported, Assert.Throws<TorchException>(() => Dispatcher.Call("no_such_operator", x)).Fault);
    }

    [Fact]
    public void Arguments_of_the_wrong_kind_too_many_or_missing_are_refused()
    {
        using var x = ones(2);
        Assert.Equal(TorchFault.Argument, Assert.Throws<TorchException>(() => Dispatcher.Call("add.Tensor", x, "text")).Fault);
        Assert.Equal(TorchFault.Argument, Assert.Throws<TorchException>(() => Dispatcher.Call("add.Tensor", x)).Fault);
        Assert.Equal(TorchFault.Argument, Assert.Throws<TorchException>(() => Dispatcher.Call("exp", x, x, x)).Fault);
        Assert.Equal(TorchFault.Argument, Assert.Throws<TorchException>(() => Dispatcher.Call("exp", default(Value))).Fault);
    }

    [Fact]
    public void Wrong_reads_are_refused()
    {
        using var x = ones(2);
        Assert.Throws<ArgumentException>(() => x.data<double>());
        Assert.Throws<TorchException>(() => x.item<float>());
        Assert.Throws<ArgumentOutOfRangeException>(() => x.size(3));
        Assert.Throws<ArgumentException>(() => new Device("gpu"));
        Assert.Throws<ArgumentException>(() => new Device("cuda:x"));
        Assert.Throws<TorchException>(() => tensor(new[] { 1f, 2, 3 }, [2, 2]));
    }

    [Fact]
    public void Backward_of_a_vector_or_of_a_tensor_without_a_graph_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<TorchException>(() => ones(2, requires_grad: true).mul(2).backward());
        Assert.Throws<TorchException>(() => ones(1).backward());
        Assert.Throws<TorchException>(() => ones(2, dtype: int64).requires_grad_());
        Assert.Throws<TorchException>(() => ones(2).grad = ones(3));
    }

    [Fact]
    public void Memory_beyond_the_machine_is_an_error_and_not_the_end()
    {
        Assert.Equal(TorchFault.Memory, Assert.Throws<TorchException>(() => zeros(1L << 40, 1L << 10)).Fault);
        Assert.Throws<TorchException>(() => empty(long.MaxValue, long.MaxValue));
        Assert.Throws<TorchException>(() => empty(-1));
    }

    [Fact]
    public void Random_arguments_only_ever_give_typed_errors()
    {
        var fuzz = new OperatorFuzz(seed: 1);
        var succeeded = fuzz.Run(4000);
        Assert.InRange(succeeded, 50, 3999);
    }
}
