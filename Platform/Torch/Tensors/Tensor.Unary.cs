using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>Functions of one tensor, element by element.</summary>
    public partial class Tensor
    {
        public Tensor abs() => Call("abs", this);

        public Tensor abs_() => InPlace("abs_");

        public Tensor neg() => Call("neg", this);

        public Tensor neg_() => InPlace("neg_");

        public Tensor exp() => Call("exp", this);

        public Tensor exp_() => InPlace("exp_");

        public Tensor exp2() => Call("exp2", this);

        public Tensor exp2_() => InPlace("exp2_");

        public Tensor expm1() => Call("expm1", this);

        public Tensor expm1_() => InPlace("expm1_");

        public Tensor log() => Call("log", this);

        public Tensor log_() => InPlace("log_");

        public Tensor log2() => Call("log2", this);

        public Tensor log2_() => InPlace("log2_");

        public Tensor log10() => Call("log10", this);

        public Tensor log10_() => InPlace("log10_");

        public Tensor log1p() => Call("log1p", this);

        public Tensor log1p_() => InPlace("log1p_");

        public Tensor sqrt() => Call("sqrt", this);

        public Tensor sqrt_() => InPlace("sqrt_");

        public Tensor rsqrt() => Call("rsqrt", this);

        public Tensor rsqrt_() => InPlace("rsqrt_");

        public Tensor square() => Call("square", this);

        public Tensor square_() => InPlace("square_");

        public Tensor sin() => Call("sin", this);

        public Tensor sin_() => InPlace("sin_");

        public Tensor cos() => Call("cos", this);

        public Tensor cos_() => InPlace("cos_");

        public Tensor tan() => Call("tan", this);

        public Tensor tan_() => InPlace("tan_");

        public Tensor asin() => Call("asin", this);

        public Tensor asin_() => InPlace("asin_");

        public Tensor acos() => Call("acos", this);

        public Tensor acos_() => InPlace("acos_");

        public Tensor atan() => Call("atan", this);

        public Tensor atan_() => InPlace("atan_");

        public Tensor sinh() => Call("sinh", this);

        public Tensor sinh_() => InPlace("sinh_");

        public Tensor cosh() => Call("cosh", this);

        public Tensor cosh_() => InPlace("cosh_");

        public Tensor tanh() => Call("tanh", this);

        public Tensor tanh_() => InPlace("tanh_");

        public Tensor asinh() => Call("asinh", this);

        public Tensor asinh_() => InPlace("asinh_");

        public Tensor acosh() => Call("acosh", this);

        public Tensor acosh_() => InPlace("acosh_");

        public Tensor atanh() => Call("atanh", this);

        public Tensor atanh_() => InPlace("atanh_");

        public Tensor sigmoid() => Call("sigmoid", this);

        public Tensor sigmoid_() => InPlace("sigmoid_");

        public Tensor sign() => Call("sign", this);

        public Tensor sign_() => InPlace("sign_");

        public Tensor floor() => Call("floor", this);

        public Tensor floor_() => InPlace("floor_");

        public Tensor ceil() => Call("ceil", this);

        public Tensor ceil_() => InPlace("ceil_");

        public Tensor round() => Call("round", this);

        public Tensor round_() => InPlace("round_");

        public Tensor trunc() => Call("trunc", this);

        public Tensor trunc_() => InPlace("trunc_");

        public Tensor frac() => Call("frac", this);

        public Tensor frac_() => InPlace("frac_");

        public Tensor erf() => Call("erf", this);

        public Tensor erf_() => InPlace("erf_");

        public Tensor erfc() => Call("erfc", this);

        public Tensor erfc_() => InPlace("erfc_");

        public Tensor erfinv() => Call("erfinv", this);

        public Tensor erfinv_() => InPlace("erfinv_");

        public Tensor reciprocal() => Call("reciprocal", this);

        public Tensor reciprocal_() => InPlace("reciprocal_");

        public Tensor relu() => Call("relu", this);

        public Tensor relu_() => InPlace("relu_");

        public Tensor lgamma() => Call("lgamma", this);

        public Tensor lgamma_() => InPlace("lgamma_");

        public Tensor digamma() => Call("digamma", this);

        public Tensor digamma_() => InPlace("digamma_");

        public Tensor negative() => neg();

        public Tensor absolute() => abs();

        public Tensor arcsin() => asin();

        public Tensor arccos() => acos();

        public Tensor arctan() => atan();

        public Tensor isnan() => Call("isnan", this);

        public Tensor isinf() => Call("isinf", this);

        public Tensor isfinite() => Call("isfinite", this);

        public Tensor logical_not() => Call("logical_not", this);

        public Tensor bitwise_not() => Call("bitwise_not", this);

        public Tensor nan_to_num(double? nan = null, double? posinf = null, double? neginf = null) => Call("nan_to_num", this, nan, posinf, neginf);

        private Tensor InPlace(string op)
        {
            Run(op, this);
            return this;
        }

        private Tensor InPlace(string op, Value a)
        {
            Run(op, this, a);
            return this;
        }

        private Tensor InPlace(string op, Value a, Value b)
        {
            Run(op, this, a, b);
            return this;
        }

        private Tensor InPlace(string op, Value a, Value b, Value c)
        {
            Run(op, this, a, b, c);
            return this;
        }
    }
}
