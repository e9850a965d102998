using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>Arithmetic of two operands, with broadcasting.</summary>
    public partial class Tensor
    {
        public Tensor add(Tensor target) => Call("add.Tensor", this, target);

        public Tensor add(Tensor target, Scalar alpha) => Call("add.Tensor", this, target, alpha);

        public Tensor add(Scalar scalar) => Call("add.Scalar", this, scalar);

        public Tensor add(Scalar scalar, Scalar alpha) => Call("add.Scalar", this, scalar, alpha);

        public Tensor add_(Tensor target) => InPlace("add_.Tensor", target);

        public Tensor add_(Tensor target, Scalar alpha) => InPlace("add_.Tensor", target, alpha);

        public Tensor add_(Scalar scalar) => InPlace("add_.Scalar", scalar);

        public Tensor sub(Tensor target) => Call("sub.Tensor", this, target);

        public Tensor sub(Tensor target, Scalar alpha) => Call("sub.Tensor", this, target, alpha);

        public Tensor sub(Scalar scalar) => Call("sub.Scalar", this, scalar);

        public Tensor sub(Scalar scalar, Scalar alpha) => Call("sub.Scalar", this, scalar, alpha);

        public Tensor sub_(Tensor target) => InPlace("sub_.Tensor", target);

        public Tensor sub_(Tensor target, Scalar alpha) => InPlace("sub_.Tensor", target, alpha);

        public Tensor sub_(Scalar scalar) => InPlace("sub_.Scalar", scalar);

        public Tensor mul(Tensor target) => Call("mul.Tensor", this, target);

        public Tensor mul(Scalar target) => Call("mul.Scalar", this, target);

        public Tensor mul_(Tensor target) => InPlace("mul_.Tensor", target);

        public Tensor mul_(Scalar target) => InPlace("mul_.Scalar", target);

        public Tensor div(Tensor target) => Call("div.Tensor", this, target);

        public Tensor div(Scalar target) => Call("div.Scalar", this, target);

        public Tensor div_(Tensor target) => InPlace("div_.Tensor", target);

        public Tensor div_(Scalar target) => InPlace("div_.Scalar", target);

        public Tensor remainder(Tensor target) => Call("remainder.Tensor", this, target);

        public Tensor remainder(Scalar target) => Call("remainder.Scalar", this, target);

        public Tensor remainder_(Tensor target) => InPlace("remainder_.Tensor", target);

        public Tensor remainder_(Scalar target) => InPlace("remainder_.Scalar", target);

        public Tensor fmod(Tensor target) => Call("fmod.Tensor", this, target);

        public Tensor fmod(Scalar target) => Call("fmod.Scalar", this, target);

        public Tensor fmod_(Tensor target) => InPlace("fmod_.Tensor", target);

        public Tensor fmod_(Scalar target) => InPlace("fmod_.Scalar", target);

        public Tensor subtract(Tensor target) => sub(target);

        public Tensor multiply(Tensor target) => mul(target);

        public Tensor divide(Tensor target) => div(target);

        public Tensor true_divide(Tensor other) => div(other);

        public Tensor div(Tensor target, RoundingMode rounding_mode) => Call("div.Tensor_mode", this, target, Rounding(rounding_mode));

        public Tensor div(Scalar target, RoundingMode rounding_mode) => Call("div.Scalar_mode", this, target, Rounding(rounding_mode));

        public Tensor floor_divide(Tensor other) => div(other, RoundingMode.floor);

        public Tensor floor_divide(Scalar other) => div(other, RoundingMode.floor);

        public Tensor pow(Tensor exponent) => Call("pow.Tensor_Tensor", this, exponent);

        public Tensor pow(Scalar exponent) => Call("pow.Tensor_Scalar", this, exponent);

        public Tensor pow_(Tensor exponent) => InPlace("pow_.Tensor", exponent);

        public Tensor pow_(Scalar exponent) => InPlace("pow_.Scalar", exponent);

        public Tensor atan2(Tensor other) => Call("atan2", this, other);

        public Tensor hypot(Tensor other) => Call("hypot", this, other);

        public Tensor logaddexp(Tensor other) => Call("logaddexp", this, other);

        public Tensor maximum(Tensor other) => Call("maximum", this, other);

        public Tensor minimum(Tensor other) => Call("minimum", this, other);

        public Tensor lerp(Tensor end, Tensor weight) => Call("lerp.Tensor", this, end, weight);

        public Tensor lerp(Tensor end, Scalar weight) => Call("lerp.Scalar", this, end, weight);

        public Tensor lerp_(Tensor end, Tensor weight) => InPlace("lerp_.Tensor", end, weight);

        public Tensor lerp_(Tensor end, Scalar weight) => InPlace("lerp_.Scalar", end, weight);

        public Tensor addcmul(Tensor tensor1, Tensor tensor2, Scalar? value = null) => Call("addcmul", this, tensor1, tensor2, value ?? 1);

        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar? value = null) => InPlace("addcmul_", tensor1, tensor2, value ?? 1);

        public Tensor addcdiv(Tensor tensor1, Tensor tensor2, Scalar? value = null) => Call("addcdiv", this, tensor1, tensor2, value ?? 1);

        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar? value = null) => InPlace("addcdiv_", tensor1, tensor2, value ?? 1);

        public Tensor clamp(Scalar? min = null, Scalar? max = null) => Call("clamp", this, min, max);

        public Tensor clamp(Tensor? min, Tensor? max) => Call("clamp.Tensor", this, min, max);

        public Tensor clip(Scalar? min = null, Scalar? max = null) => clamp(min, max);

        public Tensor clamp_(Scalar? min = null, Scalar? max = null) => InPlace("clamp_", min, max);

        public Tensor clamp_(Tensor? min, Tensor? max) => InPlace("clamp_.Tensor", min, max);

        public Tensor clamp_min(Scalar min) => Call("clamp_min", this, min);

        public Tensor clamp_max(Scalar max) => Call("clamp_max", this, max);

        public Tensor clamp_min_(Scalar min) => InPlace("clamp_min_", min);

        public Tensor clamp_max_(Scalar max) => InPlace("clamp_max_", max);

        private static string? Rounding(RoundingMode mode) => mode == RoundingMode.None ? null : mode.ToString();
    }

    public enum RoundingMode
    {
        None,
        trunc,
        floor,
    }
}
