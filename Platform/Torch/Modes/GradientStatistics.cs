using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>What backward left in a module's parameters.</summary>
public static class GradientStatistics
{
    /// <summary>One entry a parameter that has a gradient, in the module's order.</summary>
    public static IReadOnlyList<TensorStatistics> Of(nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        List<TensorStatistics> all = [];
        foreach (var (name, parameter) in module.named_parameters())
        {
            using var gradient = parameter.grad;
            if (gradient is not null)
            {
                all.Add(TensorStatistics.Of(name, gradient));
            }
        }

        return all;
    }

    /// <summary>Refuses gradients with a NaN.</summary>
    /// <exception cref="NotANumberException">It names every parameter concerned, and the module of the last one, which backward reached first.</exception>
    public static void RequireNumbers(nn.Module module)
    {
        var faulty = Of(module).Where(s => s.NaN > 0).ToArray();
        if (faulty.Length == 0)
        {
            return;
        }

        string first = faulty[^1].Name;
        int dot = first.LastIndexOf('.');
        string owner = dot < 0 ? module.GetName() : first[..dot];
        throw new NotANumberException(
            owner, null,
            $"NaN in the gradients of {string.Join(", ", faulty.Select(s => $"{s.Name} ({s.NaN} of {s.Count})"))}; backward reached module {owner} first. "
            + "Repeat the step inside an ActivationWatch to see whether an activation was one already.");
    }
}
