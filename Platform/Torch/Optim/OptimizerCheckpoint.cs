using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>An optimiser's state as named tensors, ready for a safetensors file, in the order of its parameters.</summary>
public static class OptimizerCheckpoint
{
    /// <summary>
    /// Learning rates (<c>group.0.lr</c>), step counts (<c>param.0.step</c>) and state (<c>param.0.exp_avg</c>). State tensors share
    /// memory with the optimiser: save them before its next step. The caller disposes them.
    /// </summary>
    public static Dictionary<string, Tensor> Capture(optim.Optimizer optimizer)
    {
        GroupedOptimizer helper = Known(optimizer);
        Dictionary<string, Tensor> result = [];
        foreach ((string name, ParamGroup group) in Groups(helper))
        {
            result.Add(name + ".lr", tensor(group.LearningRate, ScalarType.Float64));
            result.Add(name + ".initial_lr", tensor(group.InitialLearningRate, ScalarType.Float64));
        }

        foreach ((string name, Optim.GroupState state, int i) in Members(helper))
        {
            result.Add(name + ".step", tensor(state.Steps[i], ScalarType.Int64));
            for (int slot = 0; slot < state.Slots.Length; slot++)
            {
                result.Add($"{name}.{state.SlotNames[slot]}", Dispatcher.Call("alias", state.Slots[slot][i]));
            }
        }

        return result;
    }

    /// <summary>Puts a captured state into an optimiser of the same kind, groups and parameters.</summary>
    /// <exception cref="StateDictException">A name is missing or unexpected, or a shape differs; nothing was written.</exception>
    public static void Restore(optim.Optimizer optimizer, IReadOnlyDictionary<string, Tensor> source)
    {
        ArgumentNullException.ThrowIfNull(source);
        GroupedOptimizer helper = Known(optimizer);
        bool hasSlots = source.Keys.Any(k => k.StartsWith("param.", StringComparison.Ordinal) && !k.EndsWith(".step", StringComparison.Ordinal));
        Check(helper, source, hasSlots);
        foreach ((string name, ParamGroup group) in Groups(helper))
        {
            group.LearningRate = source[name + ".lr"].ToDouble();
            group.InitialLearningRate = source[name + ".initial_lr"].ToDouble();
        }

        using (no_grad())
        {
            foreach ((string name, Optim.GroupState state, int i) in Members(helper))
            {
                state.Steps[i] = source[name + ".step"].ToInt64();
                if (!hasSlots)
                {
                    continue;
                }

                state.Prepare(0);
                for (int slot = 0; slot < state.SlotNames.Length; slot++)
                {
                    Dispatcher.Run("copy_", state.Slots[slot][i], source[$"{name}.{state.SlotNames[slot]}"]);
                }
            }
        }
    }

    private static void Check(GroupedOptimizer helper, IReadOnlyDictionary<string, Tensor> source, bool hasSlots)
    {
        Dictionary<string, long[]> expected = [];
        foreach ((string name, _) in Groups(helper))
        {
            expected.Add(name + ".lr", []);
            expected.Add(name + ".initial_lr", []);
        }

        foreach ((string name, Optim.GroupState state, int i) in Members(helper))
        {
            expected.Add(name + ".step", []);
            for (int slot = 0; slot < (hasSlots ? state.SlotNames.Length : 0); slot++)
            {
                expected.Add($"{name}.{state.SlotNames[slot]}", state.ShapeOf(slot, i));
            }
        }

        List<string> missing = [.. expected.Keys.Where(k => !source.ContainsKey(k))];
        List<string> unexpected = [.. source.Keys.Where(k => !expected.ContainsKey(k))];
        List<string> misshapen = [.. expected
            .Where(e => source.TryGetValue(e.Key, out Tensor? t) && !t.shape.AsSpan().SequenceEqual(e.Value))
            .Select(e => $"{e.Key} is [{string.Join(", ", source[e.Key].shape)}], expected [{string.Join(", ", e.Value)}]")];
        if (missing.Count + unexpected.Count + misshapen.Count > 0)
        {
            throw new StateDictException(helper.GetType().Name, missing, unexpected, misshapen);
        }
    }

    private static GroupedOptimizer Known(optim.Optimizer optimizer) => optimizer as GroupedOptimizer
        ?? throw new ArgumentException($"{optimizer?.GetType().Name ?? "null"} is not an optimiser of this library");

    private static IEnumerable<(string name, ParamGroup group)> Groups(GroupedOptimizer helper) => helper.Groups.Select((g, i) => ($"group.{i}", g));

    private static IEnumerable<(string name, Optim.GroupState state, int index)> Members(GroupedOptimizer helper)
    {
        int number = 0;
        foreach (Optim.GroupState state in helper.States)
        {
            for (int i = 0; i < state.Parameters.Length; i++)
            {
                yield return ($"param.{number++}", state, i);
            }
        }
    }
}
