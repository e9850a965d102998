namespace Recsys.Torch;

public static partial class torch
{
    public static Tensor eq(Tensor left, Tensor right) => left.eq(right);

    public static Tensor eq(Tensor left, Scalar right) => left.eq(right);

    public static Tensor ne(Tensor left, Tensor right) => left.ne(right);

    public static Tensor ne(Tensor left, Scalar right) => left.ne(right);

    public static Tensor lt(Tensor left, Tensor right) => left.lt(right);

    public static Tensor lt(Tensor left, Scalar right) => left.lt(right);

    public static Tensor le(Tensor left, Tensor right) => left.le(right);

    public static Tensor le(Tensor left, Scalar right) => left.le(right);

    public static Tensor gt(Tensor left, Tensor right) => left.gt(right);

    public static Tensor gt(Tensor left, Scalar right) => left.gt(right);

    public static Tensor ge(Tensor left, Tensor right) => left.ge(right);

    public static Tensor ge(Tensor left, Scalar right) => left.ge(right);

    public static Tensor logical_and(Tensor input, Tensor other) => input.logical_and(other);

    public static Tensor logical_or(Tensor input, Tensor other) => input.logical_or(other);

    public static Tensor logical_xor(Tensor input, Tensor other) => input.logical_xor(other);

    public static Tensor bitwise_and(Tensor left, Tensor right) => left.bitwise_and(right);

    public static Tensor bitwise_or(Tensor left, Tensor right) => left.bitwise_or(right);

    public static Tensor bitwise_xor(Tensor left, Tensor right) => left.bitwise_xor(right);

    public static bool allclose(Tensor input, Tensor target, double rtol = 1e-05, double atol = 1e-08, bool equal_nan = false) =>
        input.allclose(target, rtol, atol, equal_nan);

    public static Tensor isclose(Tensor input, Tensor other, double rtol = 1e-05, double atol = 1e-08, bool nanEqual = false) =>
        input.isclose(other, rtol, atol, nanEqual);

    public static Tensor isin(Tensor elements, Tensor test_elements, bool assumeUnique = false, bool invert = false) =>
        elements.isin(test_elements, assumeUnique, invert);

    public static Tensor where(Tensor condition, Tensor x, Tensor y) => Dispatcher.Call("where.self", condition, x, y);

    public static Tensor where(Tensor condition, Tensor x, Scalar y) => Dispatcher.Call("where.ScalarOther", condition, x, y);

    public static Tensor where(Tensor condition, Scalar x, Tensor y) => Dispatcher.Call("where.ScalarSelf", condition, x, y);

    public static Tensor[] where(Tensor condition) => Dispatcher.CallList("where", condition);
}
