using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>Sums, extremes, statistics.</summary>
    public partial class Tensor
    {
        public Tensor sum(ScalarType? type = null) => Call("sum", this, type);

        public Tensor sum(long dim, bool keepdim = false, ScalarType? type = null) => sum([dim], keepdim, type);

        public Tensor sum(long[] dim, bool keepdim = false, ScalarType? type = null) => Call("sum.dim_IntList", this, dim, keepdim, type);

        public Tensor sum(ReadOnlySpan<long> dim, bool keepdim = false, ScalarType? type = null) => sum(dim.ToArray(), keepdim, type);

        public Tensor mean() => Call("mean", this);

        public Tensor mean(long[] dimensions, bool keepdim = false, ScalarType? type = null) => Call("mean.dim", this, dimensions, keepdim, type);

        public Tensor mean(long dim, bool keepdim = false, ScalarType? type = null) => mean([dim], keepdim, type);

        public Tensor var(bool unbiased = true) => Call("var", this, unbiased);

        public Tensor var(long dim, bool unbiased = true, bool keepdim = false) => var([dim], unbiased, keepdim);

        public Tensor var(long[] dimensions, bool unbiased = true, bool keepdim = false) => Call("var.dim", this, dimensions, unbiased, keepdim);

        public (Tensor @var, Tensor mean) var_mean(long[] dimensions, bool unbiased = true, bool keepdim = false) =>
            Call2("var_mean.dim", this, dimensions, unbiased, keepdim);

        public (Tensor @var, Tensor mean) var_mean(bool unbiased = true) => Call2("var_mean", this, unbiased);

        public Tensor std(bool unbiased = true) => Call("std", this, unbiased);

        public Tensor std(long dim, bool unbiased = true, bool keepdim = false) => std([dim], unbiased, keepdim);

        public Tensor std(long[] dimensions, bool unbiased = true, bool keepdim = false) => Call("std.dim", this, dimensions, unbiased, keepdim);

        public (Tensor std, Tensor mean) std_mean(long[] dimensions, bool unbiased = true, bool keepdim = false) =>
            Call2("std_mean.dim", this, dimensions, unbiased, keepdim);

        public (Tensor std, Tensor mean) std_mean(bool unbiased = true) => Call2("std_mean", this, unbiased);

        public Tensor max() => Call("max", this);

        public Tensor max(Tensor other) => Call("max.other", this, other);

        public (Tensor values, Tensor indexes) max(long dim, bool keepdim = false) => Call2("max.dim", this, dim, keepdim);

        public Tensor argmax() => Call("argmax", this);

        public Tensor argmax(long dim, bool keepdim = false) => Call("argmax", this, dim, keepdim);

        public Tensor amax(params long[] dims) => Call("amax", this, dims, false);

        public Tensor amax(long[] dims, bool keepdim) => Call("amax", this, dims, keepdim);

        public Tensor min() => Call("min", this);

        public Tensor min(Tensor other) => Call("min.other", this, other);

        public (Tensor values, Tensor indexes) min(long dim, bool keepdim = false) => Call2("min.dim", this, dim, keepdim);

        public Tensor argmin() => Call("argmin", this);

        public Tensor argmin(long dim, bool keepdim = false) => Call("argmin", this, dim, keepdim);

        public Tensor amin(params long[] dims) => Call("amin", this, dims, false);

        public Tensor amin(long[] dims, bool keepdim) => Call("amin", this, dims, keepdim);

        public Tensor all() => Call("all", this);

        public Tensor all(long dim, bool keepdim = false) => Call("all.dim", this, dim, keepdim);

        public Tensor any() => Call("any", this);

        public Tensor any(long dim, bool keepdim = false) => Call("any.dim", this, dim, keepdim);

        public Tensor prod(ScalarType? type = null) => Call("prod", this, type);

        public Tensor prod(long dim, bool keepdim = false, ScalarType? type = null) => Call("prod.dim_int", this, dim, keepdim, type);

        public Tensor cumsum(long dim, ScalarType? type = null) => Call("cumsum", this, dim, type);

        public Tensor cumprod(long dim, ScalarType? type = null) => Call("cumprod", this, dim, type);

        public (Tensor values, Tensor indexes) cummax(long dim) => Call2("cummax", this, dim);

        public Tensor logsumexp(long dim, bool keepdim = false) => logsumexp([dim], keepdim);

        public Tensor logsumexp(long[] dims, bool keepdim = false) => Call("logsumexp", this, dims, keepdim);

        public Tensor logcumsumexp(long dim) => Call("logcumsumexp", this, dim);

        public Tensor norm(float p = 2.0f) => Call("norm.Scalar", this, (double)p);

        public Tensor norm(int dim, bool keepdim = false, float p = 2.0f) => Call("norm.ScalarOpt_dim", this, (double)p, new long[] { dim }, keepdim);

        public Tensor dist(Tensor other, float p = 2.0f) => Call("dist", this, other, (double)p);

        public Tensor median() => Call("median", this);

        public (Tensor values, Tensor indices) median(long dim, bool keepdim = false) => Call2("median.dim", this, dim, keepdim);

        public (Tensor values, Tensor indices) mode(long dim = -1L, bool keepdim = false) => Call2("mode", this, dim, keepdim);

        public (Tensor values, Tensor indices) kthvalue(long k, long? dim = null, bool keepdim = false) => Call2("kthvalue", this, k, dim ?? -1, keepdim);

        public Tensor quantile(Tensor q, long dim = -1, bool keepdim = false) => Call("quantile", this, q, dim, keepdim);

        public Tensor nansum() => Call("nansum", this);

        public Tensor nanmean(int? dim = null, bool keepdim = false) =>
            Call("nanmean", this, dim is { } d ? new long[] { d } : null, keepdim);

        public Tensor count_nonzero(long[]? dims = null) =>
            dims is null ? Call("count_nonzero", this) : Call("count_nonzero.dim_IntList", this, dims);

        public Tensor softmax(long dim, ScalarType? dtype = null) => Call("softmax.int", this, dim, dtype);

        public Tensor log_softmax(long dim, ScalarType? dtype = null) => Call("log_softmax.int", this, dim, dtype);

        public Tensor trace() => Call("trace", this);

        public Tensor cov(long correction = 1, Tensor? fweights = null, Tensor? aweights = null) => Call("cov", this, correction, fweights, aweights);
    }
}
