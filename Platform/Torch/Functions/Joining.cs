using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public static Tensor cat(IList<Tensor> tensors, long dim = 0) => Call("cat", Value.List(tensors), dim);

    public static Tensor concat(IList<Tensor> tensors, long dim = 0) => cat(tensors, dim);

    public static Tensor stack(IEnumerable<Tensor> tensors, long dim = 0) => Call("stack", Value.List(tensors), dim);

    public static Tensor hstack(IList<Tensor> tensors) => Call("hstack", Value.List(tensors));

    public static Tensor vstack(IList<Tensor> tensors) => Call("vstack", Value.List(tensors));

    public static Tensor[] chunk(Tensor input, long chunks, long dim = 0L) => input.chunk(chunks, dim);

    public static Tensor[] split(Tensor input, long size, long dim = 0L) => input.split(size, dim);

    public static Tensor[] split(Tensor input, long[] sizes, long dim = 0L) => input.split(sizes, dim);

    public static IList<Tensor> unbind(Tensor input, long dim = 0L) => input.unbind(dim);

    public static Tensor[] meshgrid(IEnumerable<Tensor> tensors, string indexing = "ij") => CallList("meshgrid.indexing", Value.List(tensors), indexing);

    public static Tensor[] broadcast_tensors(params Tensor[] tensors) => CallList("broadcast_tensors", (Value)tensors);

    public static Tensor cartesian_prod(IList<Tensor> tensors) => Call("cartesian_prod", Value.List(tensors));

    public static Tensor reshape(Tensor input, params long[] shape) => input.reshape(shape);

    public static Tensor permute(Tensor input, params long[] permutation) => input.permute(permutation);

    public static Tensor transpose(Tensor input, long dim0, long dim1) => input.transpose(dim0, dim1);

    public static Tensor t(Tensor input) => input.t();

    public static Tensor flatten(Tensor input, long start_dim = 0, long end_dim = -1) => input.flatten(start_dim, end_dim);

    public static Tensor squeeze(Tensor input, long? dim = null) => input.squeeze(dim);

    public static Tensor unsqueeze(Tensor input, long dim) => input.unsqueeze(dim);

    public static Tensor narrow(Tensor input, long dim, long start, long length) => input.narrow(dim, start, length);

    public static Tensor select(Tensor input, long dim, long index) => input.select(dim, index);

    public static Tensor flip(Tensor input, params long[] dims) => input.flip(dims);

    public static Tensor roll(Tensor input, long shifts, long? dims = null) => input.roll(shifts, dims);

    public static Tensor roll(Tensor input, long[] shifts, long[] dims) => input.roll(shifts, dims);

    public static Tensor tile(Tensor input, long[] reps) => input.tile(reps);

    public static Tensor repeat_interleave(Tensor input, long repeats, long? dim = null, long? output_size = null) => input.repeat_interleave(repeats, dim, output_size);

    public static Tensor repeat_interleave(Tensor input, Tensor repeats, long? dim = null, long? output_size = null) => input.repeat_interleave(repeats, dim, output_size);

    public static Tensor broadcast_to(Tensor input, params long[] shape) => input.broadcast_to(shape);

    public static Tensor tril(Tensor input, long diagonal = 0) => input.tril(diagonal);

    public static Tensor triu(Tensor input, long diagonal = 0) => input.triu(diagonal);

    public static Tensor diag(Tensor input, long diagonal = 0) => input.diag(diagonal);

    public static Tensor diagonal(Tensor input, long offset = 0, long dim1 = 0, long dim2 = 1) => input.diagonal(offset, dim1, dim2);

    public static Tensor clone(Tensor input) => input.clone();
}
