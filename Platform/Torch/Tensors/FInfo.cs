namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>The numbers that describe a floating-point type.</summary>
    public readonly record struct FInfo(int bits, double eps, double max, double tiny)
    {
        public double min => -max;

        public double smallest_normal => tiny;
    }

    public static FInfo finfo(ScalarType dtype = ScalarType.Float32) => dtype switch
    {
        ScalarType.Float64 => new(64, Math.Pow(2, -52), double.MaxValue, Math.Pow(2, -1022)),
        ScalarType.Float32 => new(32, Math.Pow(2, -23), float.MaxValue, Math.Pow(2, -126)),
        ScalarType.Float16 => new(16, Math.Pow(2, -10), 65504, Math.Pow(2, -14)),
        ScalarType.BFloat16 => new(16, Math.Pow(2, -7), (2 - Math.Pow(2, -7)) * Math.Pow(2, 127), Math.Pow(2, -126)),
        _ => throw new ArgumentException($"{dtype} is not a floating-point type.", nameof(dtype)),
    };
}
