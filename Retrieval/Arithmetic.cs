using Recsys.Torch.Kernels;

namespace Recsys.Retrieval;

/// <summary>How a model computes its answers.</summary>
public enum Arithmetic
{
    /// <summary>TorchSharp's operators: the same as <see cref="Float32"/> up to rounding, and slower.</summary>
    Operators,

    /// <summary>On a CPU loops of our own, elsewhere operators.</summary>
    Float32,

    /// <summary>The same with weights in bf16, and what they are multiplied with rounded to it; item vectors stay as they are. For
    /// processors with AVX512-BF16, and for GPUs.</summary>
    BFloat16,
}

/// <summary>The names that it has on the command line.</summary>
public static class Arithmetics
{
    /// <summary>Chooses by the device.</summary>
    public const string Auto = "auto";

    private static readonly Dictionary<string, Arithmetic> Names = new(StringComparer.Ordinal)
    {
        ["float32"] = Arithmetic.Float32, ["bf16"] = Arithmetic.BFloat16,
    };

    /// <summary>What is fastest on this processor.</summary>
    public static Arithmetic Fastest => PackedLinear.HasBFloat16 ? Arithmetic.BFloat16 : Arithmetic.Float32;

    /// <param name="device">Where it is: cpu, cuda or cuda:N. GPUs have bf16.</param>
    /// <exception cref="CatalogException">InvalidArgument: no such name, or this processor cannot.</exception>
    public static Arithmetic Of(string option, string name, string device = "cpu") =>
        name == Auto ? (device == "cpu" ? Fastest : Arithmetic.BFloat16)
        : !Names.TryGetValue(name, out var found) ? throw CatalogException.Invalid(
            $"{option} '{name}': allowed are {Auto}, {string.Join(", ", Names.Keys)}.")
        : found == Arithmetic.BFloat16 && device == "cpu" && !PackedLinear.HasBFloat16 ? throw CatalogException.Invalid(
            $"{option} {name}: this processor has no AVX512-BF16. Leave it out, or give float32.")
        : found;
}
