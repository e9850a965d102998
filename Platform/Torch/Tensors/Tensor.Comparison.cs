using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>Comparisons and logic.</summary>
    public partial class Tensor
    {
        public Tensor eq(Tensor target) => Call("eq.Tensor", this, target);

        public Tensor eq(Scalar target) => Call("eq.Scalar", this, target);

        public Tensor ne(Tensor target) => Call("ne.Tensor", this, target);

        public Tensor ne(Scalar target) => Call("ne.Scalar", this, target);

        public Tensor lt(Tensor target) => Call("lt.Tensor", this, target);

        public Tensor lt(Scalar target) => Call("lt.Scalar", this, target);

        public Tensor le(Tensor target) => Call("le.Tensor", this, target);

        public Tensor le(Scalar target) => Call("le.Scalar", this, target);

        public Tensor gt(Tensor target) => Call("gt.Tensor", this, target);

        public Tensor gt(Scalar target) => Call("gt.Scalar", this, target);

        public Tensor ge(Tensor target) => Call("ge.Tensor", this, target);

        public Tensor ge(Scalar target) => Call("ge.Scalar", this, target);

        public Tensor logical_and(Tensor other) => Call("logical_and", this, other);

        public Tensor logical_and_(Tensor other) => InPlace("logical_and_", other);

        public Tensor logical_or(Tensor other) => Call("logical_or", this, other);

        public Tensor logical_or_(Tensor other) => InPlace("logical_or_", other);

        public Tensor logical_xor(Tensor other) => Call("logical_xor", this, other);

        public Tensor logical_xor_(Tensor other) => InPlace("logical_xor_", other);

        public Tensor bitwise_and(Tensor other) => Call("bitwise_and.Tensor", this, other);

        public Tensor bitwise_or(Tensor other) => Call("bitwise_or.Tensor", this, other);

        public Tensor bitwise_xor(Tensor other) => Call("bitwise_xor.Tensor", this, other);

        public Tensor equal(Tensor target) => eq(target);

        public Tensor not_equal(Tensor target) => ne(target);

        public Tensor less(Tensor target) => lt(target);

        public Tensor less_equal(Tensor target) => le(target);

        public Tensor greater(Tensor target) => gt(target);

        public Tensor greater_equal(Tensor target) => ge(target);

        /// <summary>Same shape and every element equal.</summary>
        public bool Equals(Tensor target) => CallNumber("equal", this, target) != 0;

        public bool allclose(Tensor target, double rtol = 1e-05, double atol = 1e-08, bool equal_nan = false) =>
            CallNumber("allclose", this, target, rtol, atol, equal_nan) != 0;

        public Tensor isclose(Tensor other, double rtol = 1e-05, double atol = 1e-08, bool nanEqual = false) =>
            Call("isclose", this, other, rtol, atol, nanEqual);

        public Tensor isin(Tensor test_elements, bool assumeUnique = false, bool invert = false) =>
            Call("isin.Tensor_Tensor", this, test_elements, assumeUnique, invert);

        /// <summary>Element by element from this where the condition holds, else from y.</summary>
        public Tensor where(Tensor condition, Tensor y) => torch.where(condition, this, y);
    }
}
