using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>C# operators. == and its kin compare element by element; test for null with 'is null'.</summary>
    public partial class Tensor
    {
        public static Tensor operator +(Tensor left, Tensor right) => Call("add.Tensor", left, right);

        public static Tensor operator +(Tensor left, Scalar right) => Call("add.Scalar", left, right);

        public static Tensor operator +(Tensor left, double right) => Call("add.Scalar", left, right);

        public static Tensor operator +(Tensor left, long right) => Call("add.Scalar", left, right);

        public static Tensor operator +(Tensor left, float right) => Call("add.Scalar", left, (double)right);

        public static Tensor operator +(Tensor left, int right) => Call("add.Scalar", left, right);

        public static Tensor operator +(Scalar left, Tensor right) => Call("add.Scalar", right, left);

        public static Tensor operator +(double left, Tensor right) => Call("add.Scalar", right, left);

        public static Tensor operator +(long left, Tensor right) => Call("add.Scalar", right, left);

        public static Tensor operator +(float left, Tensor right) => Call("add.Scalar", right, (double)left);

        public static Tensor operator +(int left, Tensor right) => Call("add.Scalar", right, left);

        public static Tensor operator -(Tensor left, Tensor right) => Call("sub.Tensor", left, right);

        public static Tensor operator -(Tensor left, Scalar right) => Call("sub.Scalar", left, right);

        public static Tensor operator -(Tensor left, double right) => Call("sub.Scalar", left, right);

        public static Tensor operator -(Tensor left, long right) => Call("sub.Scalar", left, right);

        public static Tensor operator -(Tensor left, float right) => Call("sub.Scalar", left, (double)right);

        public static Tensor operator -(Tensor left, int right) => Call("sub.Scalar", left, right);

        public static Tensor operator -(Scalar left, Tensor right) => Call("rsub.Scalar", right, left);

        public static Tensor operator -(double left, Tensor right) => Call("rsub.Scalar", right, left);

        public static Tensor operator -(long left, Tensor right) => Call("rsub.Scalar", right, left);

        public static Tensor operator -(float left, Tensor right) => Call("rsub.Scalar", right, (double)left);

        public static Tensor operator -(int left, Tensor right) => Call("rsub.Scalar", right, left);

        public static Tensor operator *(Tensor left, Tensor right) => Call("mul.Tensor", left, right);

        public static Tensor operator *(Tensor left, Scalar right) => Call("mul.Scalar", left, right);

        public static Tensor operator *(Tensor left, double right) => Call("mul.Scalar", left, right);

        public static Tensor operator *(Tensor left, long right) => Call("mul.Scalar", left, right);

        public static Tensor operator *(Tensor left, float right) => Call("mul.Scalar", left, (double)right);

        public static Tensor operator *(Tensor left, int right) => Call("mul.Scalar", left, right);

        public static Tensor operator *(Scalar left, Tensor right) => Call("mul.Scalar", right, left);

        public static Tensor operator *(double left, Tensor right) => Call("mul.Scalar", right, left);

        public static Tensor operator *(long left, Tensor right) => Call("mul.Scalar", right, left);

        public static Tensor operator *(float left, Tensor right) => Call("mul.Scalar", right, (double)left);

        public static Tensor operator *(int left, Tensor right) => Call("mul.Scalar", right, left);

        public static Tensor operator /(Tensor left, Tensor right) => Call("div.Tensor", left, right);

        public static Tensor operator /(Tensor left, Scalar right) => Call("div.Scalar", left, right);

        public static Tensor operator /(Tensor left, double right) => Call("div.Scalar", left, right);

        public static Tensor operator /(Tensor left, long right) => Call("div.Scalar", left, right);

        public static Tensor operator /(Tensor left, float right) => Call("div.Scalar", left, (double)right);

        public static Tensor operator /(Tensor left, int right) => Call("div.Scalar", left, right);

        public static Tensor operator /(Scalar left, Tensor right) => FromLeft("div.Tensor", left, right);

        public static Tensor operator /(double left, Tensor right) => FromLeft("div.Tensor", left, right);

        public static Tensor operator /(long left, Tensor right) => FromLeft("div.Tensor", left, right);

        public static Tensor operator /(float left, Tensor right) => FromLeft("div.Tensor", left, right);

        public static Tensor operator /(int left, Tensor right) => FromLeft("div.Tensor", left, right);

        public static Tensor operator %(Tensor left, Tensor right) => Call("remainder.Tensor", left, right);

        public static Tensor operator %(Tensor left, Scalar right) => Call("remainder.Scalar", left, right);

        public static Tensor operator %(Tensor left, double right) => Call("remainder.Scalar", left, right);

        public static Tensor operator %(Tensor left, long right) => Call("remainder.Scalar", left, right);

        public static Tensor operator %(Tensor left, float right) => Call("remainder.Scalar", left, (double)right);

        public static Tensor operator %(Tensor left, int right) => Call("remainder.Scalar", left, right);

        public static Tensor operator %(Scalar left, Tensor right) => FromLeft("remainder.Tensor", left, right);

        public static Tensor operator %(double left, Tensor right) => FromLeft("remainder.Tensor", left, right);

        public static Tensor operator %(long left, Tensor right) => FromLeft("remainder.Tensor", left, right);

        public static Tensor operator %(float left, Tensor right) => FromLeft("remainder.Tensor", left, right);

        public static Tensor operator %(int left, Tensor right) => FromLeft("remainder.Tensor", left, right);

        public static Tensor operator -(Tensor tensor) => Call("neg", tensor);

        public static Tensor operator ~(Tensor tensor) => Call("bitwise_not", tensor);

        public static Tensor operator &(Tensor left, Tensor right) => Call("bitwise_and.Tensor", left, right);

        public static Tensor operator |(Tensor left, Tensor right) => Call("bitwise_or.Tensor", left, right);

        public static Tensor operator ^(Tensor left, Tensor right) => Call("bitwise_xor.Tensor", left, right);

        public static Tensor operator ==(Tensor left, Tensor right) => Call("eq.Tensor", left, right);

        public static Tensor operator ==(Tensor left, Scalar right) => Call("eq.Scalar", left, right);

        public static Tensor operator ==(Scalar left, Tensor right) => Call("eq.Scalar", right, left);

        public static Tensor operator !=(Tensor left, Tensor right) => Call("ne.Tensor", left, right);

        public static Tensor operator !=(Tensor left, Scalar right) => Call("ne.Scalar", left, right);

        public static Tensor operator !=(Scalar left, Tensor right) => Call("ne.Scalar", right, left);

        public static Tensor operator <(Tensor left, Tensor right) => Call("lt.Tensor", left, right);

        public static Tensor operator <(Tensor left, Scalar right) => Call("lt.Scalar", left, right);

        public static Tensor operator <(Scalar left, Tensor right) => Call("gt.Scalar", right, left);

        public static Tensor operator >(Tensor left, Tensor right) => Call("gt.Tensor", left, right);

        public static Tensor operator >(Tensor left, Scalar right) => Call("gt.Scalar", left, right);

        public static Tensor operator >(Scalar left, Tensor right) => Call("lt.Scalar", right, left);

        public static Tensor operator <=(Tensor left, Tensor right) => Call("le.Tensor", left, right);

        public static Tensor operator <=(Tensor left, Scalar right) => Call("le.Scalar", left, right);

        public static Tensor operator <=(Scalar left, Tensor right) => Call("ge.Scalar", right, left);

        public static Tensor operator >=(Tensor left, Tensor right) => Call("ge.Tensor", left, right);

        public static Tensor operator >=(Tensor left, Scalar right) => Call("ge.Scalar", left, right);

        public static Tensor operator >=(Scalar left, Tensor right) => Call("le.Scalar", right, left);

        public static implicit operator Tensor(byte value) => tensor(value);

        public static implicit operator Tensor(short value) => tensor(value);

        public static implicit operator Tensor(int value) => tensor(value);

        public static implicit operator Tensor(long value) => tensor(value);

        public static implicit operator Tensor(float value) => tensor(value);

        public static implicit operator Tensor(double value) => tensor(value);

        public static implicit operator Tensor(bool value) => tensor(value);

        public static implicit operator Tensor(Scalar scalar) => scalar_tensor(scalar);

        public static explicit operator float(Tensor value) => value.ToSingle();

        public static explicit operator double(Tensor value) => value.ToDouble();

        public static explicit operator int(Tensor value) => value.ToInt32();

        public static explicit operator long(Tensor value) => value.ToInt64();

        public static explicit operator bool(Tensor value) => value.ToBoolean();

        public override bool Equals(object? obj) => obj is Tensor t && (ReferenceEquals(t, this) || Equals(t));

        /// <summary>By identity: the elements may change.</summary>
        public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

        private static Tensor FromLeft(string op, Scalar left, Tensor right)
        {
            using var number = scalar_tensor(left, right.dtype is var d && (torch.is_floating_point(d) || !left.IsFloating) ? d : null, right.device);
            return Call(op, number, right);
        }
    }
}
