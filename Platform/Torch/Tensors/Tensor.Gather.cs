using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>Reading and writing by index tensors and masks; sorting and searching.</summary>
    public partial class Tensor
    {
        public Tensor gather(long dim, Tensor index) => Call("gather", this, dim, index);

        public Tensor index_select(long dim, Tensor index) => Call("index_select", this, dim, index);

        public Tensor take(Tensor index) => Call("take", this, index);

        public Tensor take_along_dim(Tensor indices, long dim) => Call("take_along_dim", this, indices, dim);

        public Tensor masked_select(Tensor mask) => Call("masked_select", this, mask);

        public Tensor masked_fill(Tensor mask, Scalar value) => Call("masked_fill.Scalar", this, mask, value);

        public Tensor masked_fill_(Tensor mask, Scalar value) => InPlace("masked_fill_.Scalar", mask, value);

        public Tensor masked_scatter(Tensor mask, Tensor value) => Call("masked_scatter", this, mask, value);

        public Tensor masked_scatter_(Tensor mask, Tensor value) => InPlace("masked_scatter_", mask, value);

        public Tensor scatter(long dim, Tensor index, Tensor src) => Call("scatter.src", this, dim, index, src);

        public Tensor scatter(long dim, Tensor index, Scalar value) => Call("scatter.value", this, dim, index, value);

        public Tensor scatter_(long dim, Tensor index, Tensor src) => InPlace("scatter_.src", dim, index, src);

        public Tensor scatter_(long dim, Tensor index, Scalar value) => InPlace("scatter_.value", dim, index, value);

        public Tensor scatter_add(long dim, Tensor index, Tensor src) => Call("scatter_add", this, dim, index, src);

        public Tensor scatter_add_(long dim, Tensor index, Tensor src) => InPlace("scatter_add_", dim, index, src);

        public Tensor index_add(long dim, Tensor index, Tensor source, Scalar? alpha = null) => Call("index_add", this, dim, index, source, alpha ?? 1);

        public Tensor index_add_(long dim, Tensor index, Tensor source, Scalar? alpha = null)
        {
            Run("index_add_", this, dim, index, source, alpha ?? 1);
            return this;
        }

        public Tensor index_copy(long dim, Tensor index, Tensor source) => Call("index_copy", this, dim, index, source);

        public Tensor index_copy_(long dim, Tensor index, Tensor source) => InPlace("index_copy_", dim, index, source);

        public Tensor index_fill(long dim, Tensor index, Scalar value) => Call("index_fill.int_Scalar", this, dim, index, value);

        public Tensor index_fill_(long dim, Tensor index, Scalar value) => InPlace("index_fill_.int_Scalar", dim, index, value);

        public Tensor nonzero() => Call("nonzero", this);

        public Tensor argwhere() => Call("argwhere", this);

        public (Tensor Values, Tensor Indices) sort(long dim = -1, bool descending = false, bool stable = false) =>
            Call2("sort.stable", this, stable, dim, descending);

        public Tensor argsort(long dim = -1, bool descending = false) => Call("argsort", this, dim, descending);

        public (Tensor values, Tensor indexes) topk(int k, int dim = -1, bool largest = true, bool sorted = true) =>
            Call2("topk", this, k, dim, largest, sorted);

        /// <summary>The distinct elements (or slices along dim); the inverse and the counts where asked for.</summary>
        public (Tensor output, Tensor? inverse_indices, Tensor? counts) unique(
            bool sorted = true, bool return_inverse = false, bool return_counts = false, int? dim = null)
        {
            var (output, inverse, counts) = dim is { } d
                ? Call3("unique_dim", this, d, sorted, return_inverse, return_counts)
                : Call3("_unique2", this, sorted, return_inverse, return_counts);
            return (output, Keep(inverse, return_inverse), Keep(counts, return_counts));
        }

        public (Tensor output, Tensor? inverse_indices, Tensor? counts) unique_consecutive(
            bool return_inverse = false, bool return_counts = false, int? dim = null)
        {
            var (output, inverse, counts) = Call3("unique_consecutive", this, return_inverse, return_counts, (long?)dim);
            return (output, Keep(inverse, return_inverse), Keep(counts, return_counts));
        }

        public Tensor bincount(Tensor? weights = null, long minlength = 0) => Call("bincount", this, weights, minlength);

        public Tensor histc(long bins = 100, double min = 0, double max = 0) => Call("histc", this, bins, min, max);

        public Tensor bucketize(Tensor boundaries, bool outInt32 = false, bool right = false) =>
            Call("bucketize.Tensor", this, boundaries, outInt32, right);

        private static Tensor? Keep(Tensor t, bool keep)
        {
            if (keep)
            {
                return t;
            }

            t.Dispose();
            return null;
        }
    }
}
