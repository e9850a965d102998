using System.Runtime.InteropServices;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>A scalar tensor of the .NET type's own dtype.</summary>
    public static Tensor tensor<T>(T scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => From<T>([scalar], [], dtype, device, requires_grad);

    /// <summary>A copy of a list, one-dimensional.</summary>
    public static Tensor tensor<T>(IList<T> rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => From(Span(rawArray), [rawArray.Count], dtype, device, requires_grad);

    public static Tensor tensor<T>(T[] dataArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => From<T>(dataArray, [dataArray.Length], dtype, device, requires_grad);

    /// <summary>A copy of a list in row-major order, with this shape.</summary>
    public static Tensor tensor<T>(IList<T> rawArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => From(Span(rawArray), dimensions, dtype, device, requires_grad);

    public static Tensor tensor<T>(T[] dataArray, ReadOnlySpan<long> dimensions, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => From<T>(dataArray, dimensions, dtype, device, requires_grad);

    public static Tensor tensor<T>(IList<T> rawArray, long rows, long columns, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => From(Span(rawArray), [rows, columns], dtype, device, requires_grad);

    public static Tensor tensor<T>(T[,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => from_array(rawArray, dtype, device, requires_grad);

    public static Tensor tensor<T>(T[,,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => from_array(rawArray, dtype, device, requires_grad);

    public static Tensor tensor<T>(T[,,,] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
        where T : unmanaged => from_array(rawArray, dtype, device, requires_grad);

    /// <summary>A copy of an array of any rank, with its shape.</summary>
    public static Tensor from_array(Array rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        ArgumentNullException.ThrowIfNull(rawArray);
        var type = ScalarTypeOf(rawArray.GetType().GetElementType()!);
        var shape = new long[rawArray.Rank];
        for (var i = 0; i < shape.Length; i++)
        {
            shape[i] = rawArray.GetLength(i);
        }

        return Placed(Tensor.FromBytes(Bytes(rawArray, SizeOf(type)), shape, type), dtype, device, requires_grad);
    }

    public static Tensor as_tensor(Tensor data, ScalarType? dtype = null, Device? device = null) =>
        (dtype is null || dtype == data.dtype) && (device is null || device.Equals(data.device)) ? data : data.to(dtype ?? data.dtype, device ?? data.device);

    public static Tensor as_tensor<T>(IList<T> rawArray, ScalarType? dtype = null, Device? device = null)
        where T : unmanaged => tensor(rawArray, dtype, device);

    public static Tensor as_tensor<T>(T[] rawArray, ScalarType? dtype = null, Device? device = null)
        where T : unmanaged => tensor(rawArray, dtype, device);

    private static Tensor From<T>(ReadOnlySpan<T> data, ReadOnlySpan<long> shape, ScalarType? dtype, Device? device, bool requires_grad)
        where T : unmanaged => Placed(Tensor.FromBytes(MemoryMarshal.AsBytes(data), shape, ScalarTypeOf<T>()), dtype, device, requires_grad);

    private static ReadOnlySpan<T> Span<T>(IList<T> list)
    {
        ArgumentNullException.ThrowIfNull(list);
        return list switch
        {
            T[] array => array,
            List<T> l => CollectionsMarshal.AsSpan(l),
            _ => list.ToArray(),
        };
    }
}
