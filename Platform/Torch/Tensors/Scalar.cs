using Recsys.Torch.Native;

namespace Recsys.Torch;

/// <summary>A number as operators take it: an integer, a double or a bool. Every .NET number converts to it.</summary>
public sealed class Scalar : IDisposable
{
    internal readonly Kind Kind;
    internal readonly long Bits;

    private Scalar(Kind kind, long bits)
    {
        Kind = kind;
        Bits = bits;
    }

    public static implicit operator Scalar(byte value) => new(Kind.Int, value);

    public static implicit operator Scalar(sbyte value) => new(Kind.Int, value);

    public static implicit operator Scalar(short value) => new(Kind.Int, value);

    public static implicit operator Scalar(int value) => new(Kind.Int, value);

    public static implicit operator Scalar(long value) => new(Kind.Int, value);

    public static implicit operator Scalar(Half value) => (double)value;

    public static implicit operator Scalar(float value) => (double)value;

    public static implicit operator Scalar(double value) => new(Kind.Double, BitConverter.DoubleToInt64Bits(value));

    public static implicit operator Scalar(bool value) => new(Kind.Bool, value ? 1 : 0);

    public double ToDouble() => Kind == Kind.Double ? BitConverter.Int64BitsToDouble(Bits) : Bits;

    public float ToSingle() => (float)ToDouble();

    public long ToInt64() => Kind == Kind.Double ? checked((long)ToDouble()) : Bits;

    public int ToInt32() => checked((int)ToInt64());

    public bool ToBoolean() => Kind == Kind.Double ? ToDouble() != 0 : Bits != 0;

    internal static Scalar Of(in Out result) => new(result.Kind, result.Payload);

    internal bool IsFloating => Kind == Kind.Double;

    internal bool IsBool => Kind == Kind.Bool;

    /// <summary>Nothing to free; it is disposable because TorchSharp's is.</summary>
    public void Dispose()
    {
    }

    public override string ToString() => Kind == Kind.Double ? ToDouble().ToString("R") : Kind == Kind.Bool ? ToBoolean().ToString() : Bits.ToString();
}

public static class ScalarExtensionMethods
{
    public static Scalar ToScalar(this int value) => value;

    public static Scalar ToScalar(this long value) => value;

    public static Scalar ToScalar(this float value) => value;

    public static Scalar ToScalar(this double value) => value;

    public static Scalar ToScalar(this bool value) => value;
}
