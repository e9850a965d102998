using Recsys.Torch.Native;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// One argument of an ATen operator. Everything that an operator takes converts to it; <c>default</c> is None, which stands for
/// an absent optional argument or for the schema's default.
/// </summary>
public readonly struct Value
{
    internal readonly object? Reference;
    internal readonly long Bits;
    internal readonly Kind Kind;

    private Value(Kind kind, long bits, object? reference = null)
    {
        Kind = kind;
        Bits = bits;
        Reference = reference;
    }

    private Value(Kind kind, object? reference)
        : this(reference is null ? Kind.None : kind, 0, reference)
    {
    }

    public static implicit operator Value(Tensor? value) => new(Kind.Tensor, value);

    public static implicit operator Value(int value) => new(Kind.Int, value);

    public static implicit operator Value(long value) => new(Kind.Int, value);

    public static implicit operator Value(long? value) => value is { } v ? new(Kind.Int, v) : default;

    public static implicit operator Value(double value) => new(Kind.Double, BitConverter.DoubleToInt64Bits(value));

    public static implicit operator Value(double? value) => value is { } v ? v : default(Value);

    public static implicit operator Value(bool value) => new(Kind.Bool, value ? 1 : 0);

    public static implicit operator Value(bool? value) => value is { } v ? v : default(Value);

    public static implicit operator Value(ScalarType value) => new(Kind.Int, (long)value);

    public static implicit operator Value(ScalarType? value) => value is { } v ? v : default(Value);

    public static implicit operator Value(Scalar? value) => value is null ? default : new(value.Kind, value.Bits);

    public static implicit operator Value(Device? value) => value is null ? default : new(Kind.Device, value.Packed);

    public static implicit operator Value(Generator? value) => new(Kind.Generator, value);

    public static implicit operator Value(string? value) => new(Kind.String, value);

    public static implicit operator Value(long[]? value) => new(Kind.IntList, value);

    public static implicit operator Value(double[]? value) => new(Kind.DoubleList, value);

    public static implicit operator Value(bool[]? value) => new(Kind.BoolList, value);

    public static implicit operator Value(Tensor?[]? value) => new(Kind.TensorList, value);

    /// <summary>A tensor list from any list; absent entries are allowed where the operator takes optional tensors.</summary>
    public static Value List(IEnumerable<Tensor?> value) => new(Kind.TensorList, value as Tensor?[] ?? value.ToArray());

    /// <summary>How error messages show it: a tensor by dtype and shape, a list by its elements.</summary>
    public override string ToString() => Kind switch
    {
        Kind.None => "None",
        Kind.Tensor => ((Tensor)Reference!).Signature,
        Kind.Int => Bits.ToString(),
        Kind.Double => BitConverter.Int64BitsToDouble(Bits).ToString("R"),
        Kind.Bool => Bits != 0 ? "True" : "False",
        Kind.IntList => $"[{string.Join(", ", (long[])Reference!)}]",
        Kind.DoubleList => $"[{string.Join(", ", (double[])Reference!)}]",
        Kind.BoolList => $"[{string.Join(", ", (bool[])Reference!)}]",
        Kind.TensorList => $"[{string.Join(", ", ((Tensor?[])Reference!).Take(8).Select(t => t is null ? "None" : t.Signature))}]",
        Kind.Device => Device.Unpack(Bits).ToString(),
        _ => Reference?.ToString() ?? Kind.ToString(),
    };
}
