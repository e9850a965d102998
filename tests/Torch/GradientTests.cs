using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

/// <summary>What TorchSharp does otherwise than PyTorch, and our training relies on not meeting.</summary>
public sealed class GradientTests
{
    [Fact]
    public void Zeroed_through_its_module_a_parameter_that_takes_no_part_is_not_moved()
    {
        using var scope = NewDisposeScope();
        var (first, second) = (nn.Linear(3, 2), nn.Linear(3, 2));
        using var module = nn.Sequential(("first", first), ("second", second));
        using var optimizer = new FusedAdamW(module.parameters(), 0.1, weightDecay: 0.1);
        (first.call(ones(1, 3)) + second.call(ones(1, 3))).sum().backward();
        optimizer.step();
        byte[] used = first.weight.Bytes(), idle = second.weight.Bytes();

        Assert.Equal(4, module.parameters().Count());
        module.zero_grad();
        Assert.All(module.parameters(), parameter => Assert.Null(parameter.grad));
        first.call(ones(1, 3)).sum().backward();
        optimizer.step();

        Assert.NotEqual(used, first.weight.Bytes());
        Assert.Equal(idle, second.weight.Bytes()); // neither momentum nor weight decay
    }

    [Fact]
    public void A_kept_module_loses_no_tensor_to_the_scope_it_was_built_in()
    {
        Mixed module;
        using (NewDisposeScope())
        {
            module = new Mixed();
        }

        using (module)
        {
            Assert.Equal(["embedding.weight", "own"], module.named_parameters().Select(pair => pair.name).Order());
            Assert.Equal(["own", "running", "embedding.weight"], module.state_dict().Keys.OrderBy(name => name.Length));
            Assert.All(module.state_dict().Values, tensor => Assert.False(tensor.IsInvalid));
            using var scope = NewDisposeScope();
            Assert.Equal(2 * 3, (module.own + module.running).sum().item<float>());
            Assert.Equal(3, module.embedding.call(tensor(1L)).shape[0]);
        }
    }

    private sealed class Mixed : nn.Module
    {
        public readonly Parameter own = nn.Parameter(ones(3));
        public readonly Tensor running = ones(3);
        public readonly Embedding embedding = nn.Embedding(4, 3);

        public Mixed()
            : base(nameof(Mixed))
        {
            register_buffer(nameof(running), running);
            RegisterComponents();
            this.Keep();
        }
    }
}
