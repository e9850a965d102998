using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public static (Tensor min, Tensor max) aminmax(Tensor input, long? dim = null, bool keepdim = false) => input.aminmax(dim, keepdim);

    public static (Tensor values, Tensor indices) mode(Tensor input, long dim = -1, bool keepdim = false) => input.mode(dim, keepdim);

    public static Tensor corrcoef(Tensor input) => input.corrcoef();

    public static Tensor dist(Tensor input, Tensor other, float p = 2.0f) => input.dist(other, p);

    public static Tensor nanmean(Tensor input, int? dim = null, bool keepdim = false, ScalarType? dtype = null) =>
        Call("nanmean", input, dim is { } d ? (long[])[d] : null, keepdim, dtype);

    public static Tensor nansum(Tensor input) => Call("nansum", input);

    public static Tensor nanmedian(Tensor input) => input.nanmedian();

    public static Tensor nanquantile(Tensor input, Tensor q, long dim = -1, bool keepdim = false) => input.nanquantile(q, dim, keepdim);

    public static Tensor cumulative_trapezoid(Tensor y, double dx = 1, long dim = -1) => Call("cumulative_trapezoid.dx", y, dx, dim);

    public static Tensor trapz(Tensor y, double dx = 1, long dim = -1) => Call("trapezoid.dx", y, dx, dim);

    public static Tensor renorm(Tensor input, float p, long dim, float maxnorm) => input.renorm(p, dim, maxnorm);

    public static Tensor poisson(Tensor input, Generator? generator = null) => Call("poisson", input, generator);

    public static Tensor equal(Tensor tensor1, Tensor tensor2) => tensor1.equal(tensor2);

    public static long numel(Tensor input) => input.numel();

    public static bool is_nonzero(Tensor input) => input.is_nonzero();

    /// <summary>The dtype that both convert to without loss of kind.</summary>
    public static ScalarType promote_types(ScalarType type1, ScalarType type2)
    {
        using var left = empty([0], type1);
        using var right = empty([0], type2);
        using var sum = left.add(right);
        return sum.dtype;
    }

    public static ScalarType result_type(Tensor tensor1, Tensor tensor2) => (ScalarType)(sbyte)CallNumber("result_type.Tensor", tensor1, tensor2);

    public static bool can_cast(ScalarType from, ScalarType to) => CallNumber("can_cast", from, to) != 0;
}
