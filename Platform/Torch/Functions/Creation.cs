using System.Runtime.InteropServices;
using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    // empty, zeros, ones, rand, randn share their tail: dtype, layout, device.
    public static Tensor empty(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("empty.memory_format", size, dtype, default, device), requires_grad);

    public static Tensor zeros(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("zeros", size, dtype, default, device), requires_grad);

    public static Tensor ones(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("ones", size, dtype, default, device), requires_grad);

    public static Tensor rand(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        Grad(Call("rand.generator", size, generator, dtype, default, device), requires_grad);

    public static Tensor randn(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        Grad(Call("randn.generator", size, generator, dtype, default, device), requires_grad);

    public static Tensor full(long[] size, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("full", size, value, dtype, default, device), requires_grad);

    /// <summary>Integers from <paramref name="low"/> up to but not including <paramref name="high"/>.</summary>
    public static Tensor randint(long low, long high, long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        Grad(Call("randint.low_generator", low, high, size, generator, dtype ?? ScalarType.Int64, default, device), requires_grad);

    public static Tensor randint(long high, long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        randint(0, high, size, dtype, device, requires_grad, generator);

    public static Tensor randperm(long n, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        Grad(Call("randperm.generator", n, generator, dtype ?? ScalarType.Int64, default, device), requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, Scalar step, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("arange.start_step", start, stop, step, dtype ?? ArangeType(start, stop, step), default, device), requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        arange(start, stop, 1, dtype, device, requires_grad);

    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        arange(0, stop, 1, dtype, device, requires_grad);

    public static Tensor linspace(double start, double end, long steps, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("linspace", start, end, steps, dtype, default, device), requires_grad);

    public static Tensor logspace(double start, double end, long steps, double @base = 10, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("logspace", start, end, steps, @base, dtype, default, device), requires_grad);

    public static Tensor eye(long rows, long columns = -1L, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("eye.m", rows, columns < 0 ? rows : columns, dtype, default, device), requires_grad);

    public static Tensor scalar_tensor(Scalar value, ScalarType? dtype = null, Device? device = null) =>
        Call("scalar_tensor", value, dtype ?? (value.IsFloating ? ScalarType.Float32 : value.IsBool ? ScalarType.Bool : ScalarType.Int64), default, device);

    public static Tensor zeros_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("zeros_like", input, dtype, default, device), requires_grad);

    public static Tensor ones_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("ones_like", input, dtype, default, device), requires_grad);

    public static Tensor empty_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("empty_like", input, dtype, default, device), requires_grad);

    public static Tensor full_like(Tensor input, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("full_like", input, value, dtype, default, device), requires_grad);

    public static Tensor rand_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("rand_like", input, dtype, default, device), requires_grad);

    public static Tensor randn_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("randn_like", input, dtype, default, device), requires_grad);

    public static Tensor randint_like(Tensor input, long low, long high, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("randint_like.low_dtype", input, low, high, dtype, default, device), requires_grad);

    /// <summary>Normal numbers of this mean and deviation.</summary>
    public static Tensor normal(double mean, double std, ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        Grad(empty(size.ToArray(), dtype, device).normal_(mean, std, generator), requires_grad);

    public static Tensor multinomial(Tensor input, long num_samples, bool replacement = false, Generator? generator = null) =>
        input.multinomial(num_samples, replacement, generator);

    public static Tensor bernoulli(Tensor input, Generator? generator = null) => input.bernoulli(generator);

    private static ScalarType ArangeType(Scalar a, Scalar b, Scalar c) =>
        a.IsFloating || b.IsFloating || c.IsFloating ? ScalarType.Float32 : ScalarType.Int64;

    private static Tensor Grad(Tensor tensor, bool requires_grad) => requires_grad ? tensor.requires_grad_() : tensor;

    /// <summary>A span over all elements of an array of any rank, in row-major order.</summary>
    private static ReadOnlySpan<byte> Bytes(Array array, int elementSize) => array.Length == 0
        ? []
        : MemoryMarshal.CreateReadOnlySpan(ref MemoryMarshal.GetArrayDataReference(array), checked(array.Length * elementSize));

    private static Tensor Placed(Tensor made, ScalarType? dtype, Device? device, bool requires_grad)
    {
        var result = made;
        if ((dtype is { } d && d != made.dtype) || (device is not null && !device.Equals(CPU)))
        {
            result = made.to(dtype ?? made.dtype, device ?? CPU);
            made.Dispose();
        }

        return Grad(result, requires_grad);
    }
}
