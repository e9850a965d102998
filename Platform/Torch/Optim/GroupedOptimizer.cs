using Recsys.Torch.Optim;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Modules;

/// <summary>What all optimisers share: groups, their state, and one native call a group and step.</summary>
public abstract class GroupedOptimizer : optim.Optimizer
{
    private readonly List<ParamGroup> _groups = [];
    private readonly List<GroupState> _states = [];
    private readonly HashSet<Parameter> _known = new(ReferenceEqualityComparer.Instance);

    private protected GroupedOptimizer()
    {
    }

    public override IEnumerable<optim.ILearningRateController> ParamGroups => _groups;

    public override IEnumerable<Parameter> parameters() => _states.SelectMany(s => s.Parameters);

    internal IReadOnlyList<ParamGroup> Groups => _groups;

    internal IReadOnlyList<GroupState> States => _states;

    public override void add_param_group(ParamGroup param_group)
    {
        ArgumentNullException.ThrowIfNull(param_group);
        Parameter[] members = [.. param_group.Parameters];
        if (members.Length == 0)
        {
            throw new ArgumentException("a parameter group has no parameters");
        }

        if (members.FirstOrDefault(p => !_known.Add(p)) is { } twice)
        {
            throw new ArgumentException($"a parameter of shape [{string.Join(", ", twice.shape)}] is in more than one place of the parameter groups");
        }

        param_group.Options = Complete(param_group.Options);
        param_group.InitialLearningRate = param_group.LearningRate;
        _groups.Add(param_group);
        _states.Add(new GroupState(members, Slots(param_group), SlotLayout));
    }

    public override Tensor step(Func<Tensor>? closure = null)
    {
        Tensor? loss = null;
        if (closure is not null)
        {
            using (enable_grad())
            {
                loss = closure();
            }
        }

        for (int i = 0; i < _groups.Count; i++)
        {
            _states[i].Prepare(InitialState(_groups[i]));
            Update(_groups[i], _states[i]);
        }

        return loss!;
    }

    /// <summary>Fills what is null from the defaults, and checks ranges.</summary>
    private protected abstract OptimizerOptions Complete(OptimizerOptions? options);

    /// <summary>Names of the state tensors that each parameter has.</summary>
    private protected abstract string[] Slots(ParamGroup group);

    /// <summary>Shape and dtype of a state tensor that is not laid out as its parameter.</summary>
    private protected virtual (long[] Shape, ScalarType Dtype)? SlotLayout(Parameter parameter, string slot) => null;

    private protected abstract void Update(ParamGroup group, GroupState state);

    private protected virtual double InitialState(ParamGroup group) => 0;

    private protected static void Require(bool right, string name, double value, string range)
    {
        if (!right)
        {
            throw new ArgumentException($"{name} is {value}; it must be {range}");
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (GroupState state in _states)
            {
                state.Dispose();
            }
        }

        base.Dispose(disposing);
    }
}
