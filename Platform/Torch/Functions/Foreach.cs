using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    // In-place operators over lists of tensors, in one native call each: what fused optimisers are made of.
    public static void _foreach_add_(IList<Tensor> self, IList<Tensor> other, double alpha = 1) => Run("_foreach_add_.List", Value.List(self), Value.List(other), alpha);

    public static void _foreach_add_(IList<Tensor> self, double scalar) => Run("_foreach_add_.Scalar", Value.List(self), scalar);

    public static void _foreach_sub_(IList<Tensor> self, IList<Tensor> other, double alpha = 1) => Run("_foreach_sub_.List", Value.List(self), Value.List(other), alpha);

    public static void _foreach_mul_(IList<Tensor> self, double scalar) => Run("_foreach_mul_.Scalar", Value.List(self), scalar);

    public static void _foreach_mul_(IList<Tensor> self, IList<Tensor> other) => Run("_foreach_mul_.List", Value.List(self), Value.List(other));

    public static void _foreach_div_(IList<Tensor> self, double scalar) => Run("_foreach_div_.Scalar", Value.List(self), scalar);

    public static void _foreach_div_(IList<Tensor> self, IList<Tensor> other) => Run("_foreach_div_.List", Value.List(self), Value.List(other));

    public static void _foreach_addcmul_(IList<Tensor> self, IList<Tensor> tensor1, IList<Tensor> tensor2, double value = 1) =>
        Run("_foreach_addcmul_.Scalar", Value.List(self), Value.List(tensor1), Value.List(tensor2), value);

    public static void _foreach_addcdiv_(IList<Tensor> self, IList<Tensor> tensor1, IList<Tensor> tensor2, double value = 1) =>
        Run("_foreach_addcdiv_.Scalar", Value.List(self), Value.List(tensor1), Value.List(tensor2), value);

    public static void _foreach_sqrt_(IList<Tensor> self) => Run("_foreach_sqrt_", Value.List(self));

    public static void _foreach_zero_(IList<Tensor> self) => Run("_foreach_zero_", Value.List(self));

    public static Tensor[] _foreach_sqrt(IList<Tensor> self) => CallList("_foreach_sqrt", Value.List(self));

    public static Tensor[] _foreach_norm(IList<Tensor> self, double ord = 2) => CallList("_foreach_norm.Scalar", Value.List(self), ord);

    /// <summary>self += weight × (end − self). libtorch before 2.0 has no such operator; there it is a scale and an addition.</summary>
    public static void _foreach_lerp_(IList<Tensor> self, IList<Tensor> end, double weight)
    {
        if (ForeachSupport.Lerp)
        {
            Run("_foreach_lerp_.Scalar", Value.List(self), Value.List(end), weight);
            return;
        }

        _foreach_mul_(self, 1 - weight);
        _foreach_add_(self, end, weight);
    }

    private static class ForeachSupport
    {
        internal static readonly bool Lerp = Has("_foreach_lerp_.Scalar");
    }
}
