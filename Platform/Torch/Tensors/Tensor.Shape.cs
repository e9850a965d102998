using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>Views and rearrangements.</summary>
    public partial class Tensor
    {
        public Tensor view(params long[] shape) => Call("view", this, shape);

        public Tensor view_as(Tensor other) => view(other.shape);

        public Tensor reshape(params long[] shape) => Call("reshape", this, shape);

        public Tensor flatten(long start_dim = 0, long end_dim = -1) => Call("flatten.using_ints", this, start_dim, end_dim);

        public Tensor unflatten(long dim, params long[] sizes)
        {
            var s = shape;
            var at = (int)(dim < 0 ? dim + s.Length : dim);
            return at >= 0 && at < s.Length
                ? reshape([.. s[..at], .. sizes, .. s[(at + 1)..]])
                : throw new ArgumentOutOfRangeException(nameof(dim), dim, $"the tensor has {s.Length} dimensions");
        }

        public Tensor permute(params long[] permutation) => Call("permute", this, permutation);

        public Tensor permute(IEnumerable<long> permutation) => permute(permutation.ToArray());

        public Tensor transpose(long dim0, long dim1) => Call("transpose.int", this, dim0, dim1);

        public Tensor swapaxes(long dim0, long dim1) => transpose(dim0, dim1);

        public Tensor swapdims(long dim0, long dim1) => transpose(dim0, dim1);

        public Tensor movedim(long[] source, long[] destination) => Call("movedim.intlist", this, source, destination);

        public Tensor t() => Call("t", this);

        public Tensor T => Call("numpy_T", this);

        public Tensor mT => transpose(-2, -1);

        public Tensor expand(params long[] sizes) => Call("expand", this, sizes);

        public Tensor expand(ReadOnlySpan<long> sizes, bool isImplicit = false) => Call("expand", this, sizes.ToArray(), isImplicit);

        public Tensor expand_as(Tensor other) => expand(other.shape);

        public Tensor broadcast_to(params long[] shape) => Call("broadcast_to", this, shape);

        public Tensor repeat(params long[] sizes) => Call("repeat", this, sizes);

        public Tensor tile(params long[] reps) => Call("tile", this, reps);

        public Tensor repeat_interleave(long repeats, long? dim = null, long? output_size = null) =>
            Call("repeat_interleave.self_int", this, repeats, dim, output_size);

        public Tensor repeat_interleave(Tensor repeats, long? dim = null, long? output_size = null) =>
            Call("repeat_interleave.self_Tensor", this, repeats, dim, output_size);

        public Tensor squeeze(long? dim = null) => dim is { } d ? Call("squeeze.dim", this, d) : Call("squeeze", this);

        public Tensor squeeze_(long? dim = null) => dim is { } d ? InPlace("squeeze_.dim", d) : InPlace("squeeze_");

        public Tensor unsqueeze(long dim) => Call("unsqueeze", this, dim);

        public Tensor unsqueeze_(long dim) => InPlace("unsqueeze_", dim);

        public Tensor narrow(long dim, long start, long length) => Call("narrow", this, dim, start, length);

        public Tensor select(long dim, long index) => Call("select.int", this, dim, index);

        public Tensor slice(long dim, long start, long finish, long step) => Call("slice.Tensor", this, dim, start, finish, step);

        public Tensor as_strided(long[] size, long[] strides, long storageOffset = 0L) => Call("as_strided", this, size, strides, storageOffset);

        public Tensor unfold(long dimension, long size, long step) => Call("unfold", this, dimension, size, step);

        public Tensor[] chunk(long chunks, long dim = 0L) => CallList("chunk", this, chunks, dim);

        public Tensor[] split(long size, long dim = 0) => CallList("split.Tensor", this, size, dim);

        public Tensor[] split(long[] sizes, long dim = 0) => CallList("split_with_sizes", this, sizes, dim);

        public Tensor[] tensor_split(long size, long dim = 0L) => CallList("tensor_split.sections", this, size, dim);

        public Tensor[] tensor_split(long[] sizes, long dim = 0L) => CallList("tensor_split.indices", this, sizes, dim);

        public Tensor[] unbind(long dimension = 0L) => CallList("unbind.int", this, dimension);

        public Tensor flip(params long[] dims) => Call("flip", this, dims);

        public Tensor roll(long shifts, long? dims = null) => Call("roll", this, new[] { shifts }, dims is { } d ? [d] : Array.Empty<long>());

        public Tensor roll(long[] shifts, long[] dims) => Call("roll", this, shifts, dims);

        public Tensor rot90(long k = 1, (long, long)? dims = null) => Call("rot90", this, k, new[] { dims?.Item1 ?? 0, dims?.Item2 ?? 1 });

        public Tensor tril(long diagonal = 0) => Call("tril", this, diagonal);

        public Tensor triu(long diagonal = 0) => Call("triu", this, diagonal);

        public Tensor tril_(long diagonal = 0) => InPlace("tril_", diagonal);

        public Tensor triu_(long diagonal = 0) => InPlace("triu_", diagonal);

        public Tensor diag(long diagonal = 0) => Call("diag", this, diagonal);

        public Tensor diagonal(long offset = 0L, long dim1 = 0L, long dim2 = 1L) => Call("diagonal", this, offset, dim1, dim2);

        public Tensor diag_embed(long offset = 0L, long dim1 = -2L, long dim2 = -1L) => Call("diag_embed", this, offset, dim1, dim2);

        public Tensor ravel() => Call("ravel", this);

        public Tensor diff(long n = 1, long dim = -1) => Call("diff", this, n, dim);
    }
}
