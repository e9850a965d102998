using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests.Modules;

public class ModuleTests
{
    [Fact]
    public void Fields_and_properties_are_registered_under_their_names()
    {
        using var model = new Model();
        Assert.Equal(
            ["scale", "embed.weight", "blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "blocks.1.bias", "Head.weight"],
            model.named_parameters().Select(p => p.name));
        Assert.Equal(["positions"], model.named_buffers().Select(b => b.name));
        Assert.Equal(["embed", "blocks", "blocks.0", "blocks.1", "Head"], model.named_modules().Select(m => m.name));
        Assert.Equal(model.named_parameters().Select(p => p.name).Append("positions").Order(), model.state_dict().Keys.Order());
        Assert.Same(model.Head.weight, model.get_parameter("Head.weight"));
        Assert.True(model.has_buffer("positions"));
        Assert.Null(model.get_parameter("blocks.7.weight"));
        Assert.Null(model.get_parameter("nothing"));
    }

    [Fact]
    public void A_shared_parameter_is_listed_once_and_saved_under_each_name()
    {
        using var model = new Tied();
        Assert.Equal(["embed.weight"], model.named_parameters().Select(p => p.name));
        Assert.Equal(["embed.weight", "head.weight"], model.state_dict().Keys.Order());
        model.to(ScalarType.Float64);
        Assert.Same(model.get_parameter("embed.weight"), model.get_parameter("head.weight"));
        Assert.Equal(ScalarType.Float64, model.get_parameter("head.weight")!.dtype);
    }

    [Fact]
    public void Training_mode_reaches_every_module_below()
    {
        using var model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.5)));
        Assert.True(model.training);
        model.eval();
        Assert.All(model.modules(), m => Assert.False(m.training));
        model.train();
        Assert.All(model.modules(), m => Assert.True(m.training));
    }

    [Fact]
    public void State_goes_round_between_two_models()
    {
        using var from = new Model();
        using var to = new Model();
        (IList<string> missing, IList<string> unexpected) = to.load_state_dict(from.state_dict());
        Assert.Empty(missing);
        Assert.Empty(unexpected);
        foreach ((string name, Tensor value) in from.state_dict())
        {
            Assert.True(value.allclose(to.state_dict()[name], 0, 0), name);
        }
    }

    [Fact]
    public void Strict_loading_lists_every_missing_unexpected_and_misshapen_key_and_writes_nothing()
    {
        using var model = new Model();
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> state = model.state_dict().ToDictionary(e => e.Key, e => e.Value.detach().clone());
        state["Head.weight"] = zeros(4, 4);
        state["blocks.0.weight"] = zeros(3, 8);
        state["scale"] = zeros(1);
        state.Remove("positions");
        state.Remove("embed.weight");
        state["extra.a"] = zeros(1);
        state["extra.b"] = zeros(1);
        float before = model.scale.item<float>();
        StateDictException error = Assert.Throws<StateDictException>(() => model.load_state_dict(state));
        Assert.Equal(["embed.weight", "positions"], error.Missing.Order());
        Assert.Equal(["extra.a", "extra.b"], error.Unexpected.Order());
        Assert.Equal(["Head.weight is [4, 4], expected [5, 8]", "blocks.0.weight is [3, 8], expected [8, 8]"], error.Misshapen.Order(StringComparer.Ordinal));
        foreach (string part in error.Missing.Concat(error.Unexpected).Concat(error.Misshapen))
        {
            Assert.Contains(part, error.Message);
        }

        Assert.Equal(before, model.scale.item<float>());
        Assert.Throws<StateDictException>(() => model.load_state_dict(state, strict: false)); // shapes are never forgiven
        state.Remove("Head.weight");
        state.Remove("blocks.0.weight");
        (IList<string> missing, IList<string> unexpected) = model.load_state_dict(state, strict: false);
        Assert.Equal(4, missing.Count);
        Assert.Equal(2, unexpected.Count);
        Assert.Equal(0, model.scale.item<float>());
    }

    [Fact]
    public void Changing_dtype_keeps_the_parameter_objects_and_integer_buffers()
    {
        using var model = new Model();
        Parameter weight = model.Head.weight;
        double before = weight.sum().ToDouble();
        model.to(ScalarType.Float64);
        Assert.Same(weight, model.Head.weight);
        Assert.True(weight.requires_grad);
        Assert.Equal(ScalarType.Float64, weight.dtype);
        Assert.Equal(before, weight.sum().ToDouble(), 4);
        Assert.Equal(ScalarType.Int64, model.get_buffer("positions")!.dtype);
        using Tensor input = tensor(new long[] { 0, 1, 2 });
        using Tensor output = model.call(input);
        Assert.Equal(ScalarType.Float64, output.dtype);
        output.sum().backward();
        Assert.Equal(ScalarType.Float64, weight.grad!.dtype);
        model.bfloat16();
        Assert.Equal(ScalarType.BFloat16, weight.grad!.dtype);
    }

    [Fact]
    public void Names_are_checked()
    {
        using var model = new Model();
        Assert.Throws<InvalidOperationException>(() => model.register_module("Head", nn.Identity()));
        Assert.Throws<ArgumentException>(() => model.register_module("a.b", nn.Identity()));
        Assert.Throws<ArgumentException>(() => model.register_module("", nn.Identity()));
        Assert.Throws<InvalidOperationException>(() => model.register_module("self", model));
    }

    [Fact]
    public void Apply_visits_children_before_their_parent()
    {
        using var model = nn.Sequential(nn.Linear(1, 1), nn.ReLU());
        List<string> seen = [];
        model.apply(m => seen.Add(m.GetName()));
        Assert.Equal(["Linear", "ReLU", "Sequential"], seen);
    }

    [Fact]
    public void A_module_outlives_the_scope_it_was_built_in_and_disposes_all_it_owns()
    {
        long baseline = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Model model;
        using (NewDisposeScope())
        {
            model = new Model();
        }

        Assert.Equal(8, DisposeScopeManager.Statistics.ThreadTotalLiveCount - baseline);
        using (NewDisposeScope())
        {
            for (int i = 0; i < 3; i++)
            {
                model.call(tensor(new long[] { 0, 1, 2 })).sum().backward();
                model.zero_grad();
            }
        }

        Assert.Equal(8, DisposeScopeManager.Statistics.ThreadTotalLiveCount - baseline);
        model.Dispose();
        Assert.Equal(baseline, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Containers_index_their_modules()
    {
        using var list = nn.ModuleList(nn.Linear(1, 2), nn.Linear(2, 3));
        list.append(nn.Linear(3, 4));
        Assert.Equal([2L, 3L, 4L], list.Select(l => l.out_features));
        Assert.Equal(3, list[2].in_features);
        using var dict = nn.ModuleDict(("a", (nn.Module)nn.ReLU()), ("b", nn.Tanh()));
        Assert.Equal(["a", "b"], dict.Keys);
        Assert.IsType<Tanh>(dict["b"]);
        Assert.Equal(["0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "2.bias"], list.state_dict().Keys);
    }

    private sealed class Model : nn.Module<Tensor, Tensor>
    {
        public readonly Parameter scale = nn.Parameter(ones(1));
        private readonly Embedding embed = nn.Embedding(3, 8);
        private readonly ModuleList<nn.Module<Tensor, Tensor>> blocks = nn.ModuleList<nn.Module<Tensor, Tensor>>(nn.Linear(8, 8), nn.Linear(8, 8));
        private readonly Tensor positions = arange(3, dtype: ScalarType.Int64);

        public Model()
            : base(nameof(Model)) => RegisterComponents();

        public Linear Head { get; } = nn.Linear(8, 5, hasBias: false);

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            Tensor x = embed.call(input); // [n, 8]
            foreach (nn.Module<Tensor, Tensor> block in blocks)
            {
                x = block.call(x);
            }

            return (Head.call(x) * scale).MoveToOuterDisposeScope(); // [n, 5]
        }
    }

    private sealed class Tied : nn.Module
    {
        private readonly Embedding embed = nn.Embedding(4, 2);
        private readonly Linear head = nn.Linear(2, 4, hasBias: false);

        public Tied()
            : base(nameof(Tied))
        {
            head.weight = embed.weight!;
            RegisterComponents();
        }
    }
}
