using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>Less common functions, element by element.</summary>
    public partial class Tensor
    {
        public Tensor isposinf() => Call("isposinf", this);

        public Tensor isneginf() => Call("isneginf", this);

        public Tensor sinc() => Call("sinc", this);

        public Tensor logit() => Call("logit", this);

        public Tensor deg2rad() => Call("deg2rad", this);

        public Tensor rad2deg() => Call("rad2deg", this);

        public Tensor i0() => Call("i0", this);

        public Tensor positive() => Call("positive", this);

        public Tensor sgn() => Call("sgn", this);

        public Tensor fmax(Tensor other) => Call("fmax", this, other);

        public Tensor fmin(Tensor other) => Call("fmin", this, other);

        public Tensor gcd(Tensor other) => Call("gcd", this, other);

        public Tensor lcm(Tensor other) => Call("lcm", this, other);

        public Tensor nextafter(Tensor other) => Call("nextafter", this, other);

        public Tensor ldexp(Tensor other) => Call("ldexp.Tensor", this, other);

        public Tensor heaviside(Tensor other) => Call("heaviside", this, other);

        public Tensor copysign(Tensor other) => Call("copysign.Tensor", this, other);

        public Tensor xlogy(Tensor other) => Call("xlogy.Tensor", this, other);

        public Tensor float_power(Tensor other) => Call("float_power.Tensor_Tensor", this, other);
    }

    public static Tensor isposinf(Tensor input) => input.isposinf();

    public static Tensor isneginf(Tensor input) => input.isneginf();

    public static Tensor sinc(Tensor input) => input.sinc();

    public static Tensor logit(Tensor input) => input.logit();

    public static Tensor deg2rad(Tensor input) => input.deg2rad();

    public static Tensor rad2deg(Tensor input) => input.rad2deg();

    public static Tensor i0(Tensor input) => input.i0();

    public static Tensor positive(Tensor input) => input.positive();

    public static Tensor sgn(Tensor input) => input.sgn();

    public static Tensor fmax(Tensor input, Tensor other) => input.fmax(other);

    public static Tensor fmin(Tensor input, Tensor other) => input.fmin(other);

    public static Tensor gcd(Tensor input, Tensor other) => input.gcd(other);

    public static Tensor lcm(Tensor input, Tensor other) => input.lcm(other);

    public static Tensor nextafter(Tensor input, Tensor other) => input.nextafter(other);

    public static Tensor ldexp(Tensor input, Tensor other) => input.ldexp(other);

    public static Tensor heaviside(Tensor input, Tensor other) => input.heaviside(other);

    public static Tensor copysign(Tensor input, Tensor other) => input.copysign(other);

    public static Tensor xlogy(Tensor input, Tensor other) => input.xlogy(other);

    public static Tensor float_power(Tensor input, Tensor other) => input.float_power(other);
}
