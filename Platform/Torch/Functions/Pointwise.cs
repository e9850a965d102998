using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    public static Tensor logaddexp2(Tensor input, Tensor other) => Call("logaddexp2", input, other);

    public static Tensor signbit(Tensor input) => Call("signbit", input);

    public static Tensor bitwise_left_shift(Tensor left, Tensor right) => Call("bitwise_left_shift.Tensor", left, right);

    public static Tensor bitwise_right_shift(Tensor left, Tensor right) => Call("bitwise_right_shift.Tensor", left, right);

    public static Tensor fix(Tensor input) => input.trunc();

    public static Tensor arctan2(Tensor input, Tensor other) => input.atan2(other);

    public static Tensor arcsinh(Tensor input) => input.asinh();

    public static Tensor arccosh(Tensor input) => input.acosh();

    public static Tensor arctanh(Tensor input) => input.atanh();

    public static Tensor multiply(Tensor left, Tensor right) => left.mul(right);

    public static Tensor subtract(Tensor left, Tensor right) => left.sub(right);

    public static Tensor divide(Tensor left, Tensor right) => left.div(right);

    public static Tensor true_divide(Tensor left, Tensor right) => left.div(right);

    public static Tensor less(Tensor left, Tensor right) => left.lt(right);

    public static Tensor less_equal(Tensor left, Tensor right) => left.le(right);

    public static Tensor greater(Tensor left, Tensor right) => left.gt(right);

    public static Tensor greater_equal(Tensor left, Tensor right) => left.ge(right);

    public static Tensor not_equal(Tensor left, Tensor right) => left.ne(right);

    /// <summary>The regularised lower incomplete gamma function P(a, x).</summary>
    public static Tensor igamma(Tensor input, Tensor other) => Call("igamma", input, other);

    public static Tensor igammac(Tensor input, Tensor other) => Call("igammac", input, other);

    public static Tensor polygamma(Tensor input, long n) => Call("polygamma", n, input);

    public static Tensor mvlgamma(Tensor input, long p) => Call("mvlgamma", input, p);

    public static Tensor hamming_window(long len, bool periodic = true, ScalarType? dtype = null, Device? device = null) =>
        Call("hamming_window.periodic", len, periodic, dtype, default, device);

    public static Tensor blackman_window(long len, bool periodic = true, ScalarType? dtype = null, Device? device = null) =>
        Call("blackman_window.periodic", len, periodic, dtype, default, device);

    public static Tensor bartlett_window(long len, bool periodic = true, ScalarType? dtype = null, Device? device = null) =>
        Call("bartlett_window.periodic", len, periodic, dtype, default, device);

    /// <summary>Functions of mathematical physics and statistics.</summary>
    public static class special
    {
        public static Tensor digamma(Tensor input) => Call("special_digamma", input);

        /// <summary>-x ln x.</summary>
        public static Tensor entr(Tensor input) => Call("special_entr", input);

        public static Tensor erf(Tensor input) => input.erf();

        public static Tensor erfc(Tensor input) => input.erfc();

        public static Tensor erfinv(Tensor input) => input.erfinv();

        public static Tensor expit(Tensor input) => input.sigmoid();

        public static Tensor expm1(Tensor input) => input.expm1();

        public static Tensor exp2(Tensor input) => input.exp2();

        public static Tensor gammaln(Tensor input) => input.lgamma();

        public static Tensor i0(Tensor input) => Call("special_i0", input);

        public static Tensor i0e(Tensor input) => Call("special_i0e", input);

        public static Tensor i1(Tensor input) => Call("special_i1", input);

        public static Tensor i1e(Tensor input) => Call("special_i1e", input);

        public static Tensor logit(Tensor input, double? eps = null) => Call("special_logit", input, eps);

        public static Tensor log_softmax(Tensor input, long dim, ScalarType? dtype = null) => input.log_softmax(dim, dtype);

        public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);

        public static Tensor sigmoid(Tensor input) => input.sigmoid();

        public static Tensor sinc(Tensor input) => Call("special_sinc", input);

        /// <summary>The normal distribution function.</summary>
        public static Tensor ndtr(Tensor input) => Call("special_ndtr", input);

        /// <summary>The normal quantile function.</summary>
        public static Tensor ndtri(Tensor input) => Call("special_ndtri", input);

        public static Tensor xlog1py(Tensor input, Tensor other) => Call("special_xlog1py", input, other);

        public static Tensor zeta(Tensor input, Tensor other) => Call("special_zeta", input, other);
    }
}
