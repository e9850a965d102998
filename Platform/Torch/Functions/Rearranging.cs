using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public static Tensor atleast_1d(Tensor input) => input.atleast_1d();

    public static Tensor atleast_2d(Tensor input) => input.atleast_2d();

    public static Tensor atleast_3d(Tensor input) => input.atleast_3d();

    public static Tensor diagflat(Tensor input, long offset = 0) => input.diagflat(offset);

    public static Tensor fliplr(Tensor input) => input.fliplr();

    public static Tensor flipud(Tensor input) => input.flipud();

    public static Tensor[] hsplit(Tensor input, long size) => input.hsplit(size);

    public static Tensor[] vsplit(Tensor input, long size) => input.vsplit(size);

    public static Tensor[] dsplit(Tensor input, long size) => CallList("dsplit.int", input, size);

    public static Tensor row_stack(IList<Tensor> tensors) => vstack(tensors);

    public static Tensor moveaxis(Tensor input, long[] source, long[] destination) => input.movedim(source, destination);

    public static Tensor swapdims(Tensor input, long dim0, long dim1) => input.transpose(dim0, dim1);

    public static Tensor select_scatter(Tensor input, Tensor src, long dim, long index) => input.select_scatter(src, dim, index);

    public static Tensor slice_scatter(Tensor input, Tensor src, long dim = 0, long? start = null, long? end = null, long step = 1) =>
        input.slice_scatter(src, dim, start, end, step);

    public static Tensor diagonal_scatter(Tensor input, Tensor src, long offset = 0, long dim1 = 0, long dim2 = 1) =>
        input.diagonal_scatter(src, offset, dim1, dim2);

    public static Tensor index_copy(Tensor input, long dim, Tensor index, Tensor source) => input.index_copy(dim, index, source);

    public static Tensor index_fill(Tensor input, long dim, Tensor index, Scalar value) => input.index_fill(dim, index, value);

    /// <summary>Rows of <paramref name="source"/> folded into those that <paramref name="index"/> names, by prod, mean, amax or amin.</summary>
    public static Tensor index_reduce(Tensor input, long dim, Tensor index, Tensor source, string reduce, bool include_self = true) =>
        Call("index_reduce", input, dim, index, source, reduce, include_self);

    public static Tensor msort(Tensor input) => input.msort();

    public static (Tensor output, Tensor? inverse_indices, Tensor? counts) unique_consecutive(
        Tensor input, bool return_inverse = false, bool return_counts = false, int? dim = null) =>
        input.unique_consecutive(return_inverse, return_counts, dim);

    public static Tensor vander(Tensor x, long N = -1, bool increasing = false) => Call("vander", x, N < 0 ? null : (long?)N, increasing);

    /// <summary>The shape that all of them broadcast to.</summary>
    public static long[] broadcast_shapes(params long[][] shapes)
    {
        ArgumentNullException.ThrowIfNull(shapes);
        var result = new long[shapes.Length == 0 ? 0 : shapes.Max(s => s.Length)];
        Array.Fill(result, 1);
        foreach (var shape in shapes)
        {
            for (int i = 1; i <= shape.Length; i++)
            {
                ref long size = ref result[^i];
                size = shape[^i] == 1 || shape[^i] == size ? size
                    : size == 1 ? shape[^i]
                    : throw new ArgumentException($"{string.Join(" and ", shapes.Select(s => $"[{string.Join(", ", s)}]"))} do not broadcast");
            }
        }

        return result;
    }
}
