using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>Less common rearrangements, splits and orders.</summary>
    public partial class Tensor
    {
        public Tensor fliplr() => Call("fliplr", this);

        public Tensor flipud() => Call("flipud", this);

        public Tensor atleast_1d() => Call("atleast_1d", this);

        public Tensor atleast_2d() => Call("atleast_2d", this);

        public Tensor atleast_3d() => Call("atleast_3d", this);

        public Tensor diagflat(long offset = 0) => Call("diagflat", this, offset);

        public Tensor msort() => Call("msort", this);

        public Tensor moveaxis(long[] source, long[] destination) => movedim(source, destination);

        public Tensor[] tensor_split(Tensor indices, long dim = 0L) => CallList("tensor_split.tensor_indices_or_sections", this, indices, dim);

        public Tensor[] hsplit(long size) => CallList("hsplit.int", this, size);

        public Tensor[] vsplit(long size) => CallList("vsplit.int", this, size);

        public Tensor slice_scatter(Tensor src, long dim = 0L, long? start = null, long? end = null, long step = 1L) => Call("slice_scatter", this, src, dim, start, end, step);

        public Tensor select_scatter(Tensor src, long dim, long index) => Call("select_scatter", this, src, dim, index);

        public Tensor diagonal_scatter(Tensor src, long offset = 0L, long dim1 = 0L, long dim2 = 1L) => Call("diagonal_scatter", this, src, offset, dim1, dim2);

        public (Tensor min, Tensor max) aminmax(long? dim = null, bool keepdim = false) => Call2("aminmax", this, dim, keepdim);

        public Tensor nanmedian() => Call("nanmedian", this);

        public Tensor nanquantile(Tensor q, long dim = -1, bool keepdim = false) => Call("nanquantile", this, q, dim, keepdim);

        public Tensor corrcoef() => Call("corrcoef", this);

        public (Tensor values, Tensor indexes) cummin(long dim) => Call2("cummin", this, dim);

        public Tensor scatter_reduce(long dim, Tensor index, Tensor src, string reduce, bool include_self = true) => Call("scatter_reduce.two", this, dim, index, src, reduce, include_self);

        public Tensor new_zeros(params ReadOnlySpan<long> size) => zeros(size.ToArray(), dtype, device);

        public Tensor new_ones(params ReadOnlySpan<long> size) => ones(size.ToArray(), dtype, device);

        public Tensor sum(long dim0, long dim1, bool keepdim = false, ScalarType? type = null) => sum((long[])[dim0, dim1], keepdim, type);

        public IList<Tensor> nonzero_as_list() => CallList("nonzero_numpy", this);
    }

    public static Tensor diff(Tensor input, long n = 1, long dim = -1) => input.diff(n, dim);

    public static Tensor movedim(Tensor input, long[] source, long[] destination) => input.movedim(source, destination);

    public static Tensor swapaxes(Tensor input, long dim0, long dim1) => input.transpose(dim0, dim1);

    public static Tensor ravel(Tensor input) => input.ravel();

    public static Tensor rot90(Tensor input, long k = 1, (long, long)? dims = null) => input.rot90(k, dims);

    public static Tensor unflatten(Tensor input, long dim, params long[] sizes) => input.unflatten(dim, sizes);

    public static Tensor diag_embed(Tensor input, long offset = 0, long dim1 = -2, long dim2 = -1) => input.diag_embed(offset, dim1, dim2);

    public static Tensor[] tensor_split(Tensor input, long size, long dim = 0L) => input.tensor_split(size, dim);

    public static Tensor tril_indices(long row, long col, long offset = 0L, Device? device = null) => Call("tril_indices", row, col, offset, ScalarType.Int64, default, device);

    public static Tensor triu_indices(long row, long col, long offset = 0L, Device? device = null) => Call("triu_indices", row, col, offset, ScalarType.Int64, default, device);

    public static Tensor block_diag(params Tensor[] tensors) => Call("block_diag", (Value)tensors);

    public static Tensor column_stack(IList<Tensor> tensors) => Call("column_stack", Value.List(tensors));

    public static Tensor dstack(IList<Tensor> tensors) => Call("dstack", Value.List(tensors));

    public static Tensor concatenate(IList<Tensor> tensors, long dim = 0) => cat(tensors, dim);

    public static Tensor combinations(Tensor input, int r = 2, bool with_replacement = false) => Call("combinations", input, r, with_replacement);

    public static Tensor nan_to_num(Tensor input, double? nan = null, double? posinf = null, double? neginf = null) => input.nan_to_num(nan, posinf, neginf);

    public static (Tensor values, Tensor indexes) cummax(Tensor input, long dim) => input.cummax(dim);

    public static (Tensor values, Tensor indexes) cummin(Tensor input, long dim) => input.cummin(dim);

    public static Tensor logcumsumexp(Tensor input, long dim) => input.logcumsumexp(dim);

    public static (Tensor values, Tensor indices) kthvalue(Tensor input, long k, long? dim = null, bool keepdim = false) => input.kthvalue(k, dim, keepdim);

    public static (Tensor std, Tensor mean) std_mean(Tensor input, bool unbiased = true) => input.std_mean(unbiased);

    public static Tensor trapezoid(Tensor y, double dx = 1, long dim = -1) => Call("trapezoid.dx", y, dx, dim);

    public static Tensor hann_window(long len, bool periodic = true, ScalarType? dtype = null, Device? device = null) => Call("hann_window.periodic", len, periodic, dtype, default, device);
}
