namespace Recsys.Torch.Tests.Peer;

/// <summary>Every line of the tables, beside PyTorch on the same inputs.</summary>
public class OperatorPeerTests
{
    [PyTorchFact]
    public void Operators_give_what_PyTorch_gives() => Agree(OperatorTable.Prelude, OperatorTable.All);

    [PyTorchFact]
    public void Modules_give_what_PyTorch_s_give() => Agree(ModuleTable.Prelude, ModuleTable.All);

    private static void Agree(string prelude, Func<Dictionary<string, (Func<Tensor> Ours, string Theirs)>> rows)
    {
        using var scope = NewDisposeScope();
        var table = rows();
        var expected = PyTorch.Evaluate(prelude, table.Select(row => (row.Key, row.Value.Theirs)));
        Assert.Equal(table.Keys.Order(), expected.Keys.Order());
        Assert.All(table, row =>
        {
            using var inner = NewDisposeScope();
            Tensor actual = row.Value.Ours();
            var (shape, values) = expected[row.Key];
            Assert.Equal(shape, actual.shape);
            Assert.All(values.Zip(actual.detach().to(ScalarType.Float64).contiguous().data<double>().ToArray()), v =>
                Assert.True(v.First.Equals(v.Second) || Math.Abs(v.First - v.Second) <= 1e-9 * Math.Max(1, Math.Abs(v.First)), $"{row.Key}: PyTorch {v.First}, here {v.Second}"));
        });
    }
}
