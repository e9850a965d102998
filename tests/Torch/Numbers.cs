using System.Runtime.InteropServices;

namespace Recsys.Torch.Tests;

/// <summary>Numbers in and out of tensors, comparison as a share of the largest, and the count of live tensors.</summary>
internal static class Numbers
{
    public static double[] Doubles(this Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return MemoryMarshal.Cast<byte, double>(tensor.detach().to(ScalarType.Float64).contiguous().bytes).ToArray();
    }

    public static byte[] Bytes(this Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().contiguous().bytes.ToArray();
    }

    /// <summary>Uniform in −1 to 1, float64.</summary>
    public static Tensor Random(ulong seed, params long[] shape)
    {
        using var generator = new Generator(seed);
        return rand(shape, dtype: ScalarType.Float64, generator: generator).mul_(2).sub_(1);
    }

    /// <summary>Where sequences of these lengths start, and the end of the last.</summary>
    public static Tensor Offsets(params long[] lengths)
    {
        var at = new long[lengths.Length + 1];
        for (int i = 0; i < lengths.Length; i++)
        {
            at[i + 1] = at[i] + lengths[i];
        }

        return tensor(at);
    }

    /// <summary>No element is further off than this share of the largest expected one, and none is NaN.</summary>
    public static void Close(Tensor expected, Tensor actual, double share)
    {
        Assert.Equal(expected.shape, actual.shape);
        Close(expected.Doubles(), actual.Doubles(), share);
    }

    public static void Close(double[] expected, double[] actual, double share)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = expected.Select(Math.Abs).Append(1e-9).Max();
        for (int i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(expected[i] - actual[i]) <= share * largest))
            {
                Assert.Fail($"element {i}: expected {expected[i]}, got {actual[i]}, where the largest is {largest}");
            }
        }
    }

    /// <summary>Live tensors of the process, once the finalizers have freed what earlier tests dropped.</summary>
    public static long LiveTensors()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return Tensor.TotalCount;
    }

    public static void Refused(string part, Action call) =>
        Assert.Contains(part, Assert.Throws<TorchException>(call).Message, StringComparison.Ordinal);
}
