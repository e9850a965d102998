namespace Recsys.Torch.Kernels;

/// <summary>residual + gate · dropout(branch) and its layer norm (residual.cpp).</summary>
internal sealed class AddDropoutNormFunction : torch.autograd.MultiTensorFunction<AddDropoutNormFunction>
{
    private const long RowBlock = 64; // rows that share a partial sum of the gains' gradient, as there

    public override string Name => nameof(AddDropoutNormFunction);

    // Residual, branch, gain, shift, gate or null, p, seed, epsilon, first row.
    public override List<Tensor> forward(torch.autograd.AutogradContext ctx, params object[] vars)
    {
        var (residual, branch, gain, shift) = (
            ((Tensor)vars[0]).contiguous(), ((Tensor)vars[1]).contiguous(), (Tensor)vars[2], (Tensor)vars[3]);
        var gate = vars[4] as Tensor;
        var (sum, normed, moments) = Run(
            residual, branch, gain, shift, gate, (double)vars[5], (long)vars[6], (double)vars[7], (long)vars[8]);
        ctx.save_for_backward(gate is null ? [sum, moments, gain] : [sum, moments, gain, gate, branch]);
        ctx.save_data("p", vars[5]);
        ctx.save_data("seed", vars[6]);
        ctx.save_data("first", vars[8]);
        ctx.save_data("type", branch.dtype);
        ctx.set_materialize_grads(false); // TorchSharp's zeros are made from tensors that die with the scope of the forward pass
        return [sum, normed];
    }

    public override List<Tensor> backward(torch.autograd.AutogradContext ctx, List<Tensor> grad_outputs)
    {
        var saved = ctx.get_saved_variables();
        var (sum, moments, gain) = (saved[0], saved[1], saved[2]);
        var (gate, branch) = saved.Count > 3 ? (saved[3], saved[4]) : (null, null);
        var type = (ScalarType)ctx.get_data("type");
        using var sumGradient = grad_outputs[0].IsInvalid ? zeros_like(sum) : grad_outputs[0].to(ScalarType.Float32).contiguous();
        using var normedGradient = grad_outputs[1].IsInvalid ? zeros(sum.shape, type) : grad_outputs[1].to(type).contiguous();
        var (towardsResidual, towardsBranch) = (empty_like(sum), empty(sum.shape, dtype: type));
        var call = Call(
            towardsBranch, gain, gain, gate, (double)ctx.get_data("p"), (long)ctx.get_data("seed"), 0, (long)ctx.get_data("first"));
        long blocks = (call.Group + RowBlock - 1) / RowBlock;
        using var sums = zeros(gain.numel() / Math.Max(1, call.Width), blocks, 3, call.Width);
        KernelLibrary.AddDropoutNormBackward(
            call, sum.Address(), moments.Address(), sumGradient.Address(), normedGradient.Address(), branch?.Address() ?? 0,
            towardsResidual.Address(), towardsBranch.Address(), sums.Address());
        using var gains = sums.sum(dim: 1); // [groups, 3, width]
        Tensor Towards(int part) => gains.select(1, part).reshape(gain.shape).contiguous().clone();
        List<Tensor> gradients = [
            towardsResidual, towardsBranch, Towards(0), Towards(1), gate is null ? null! : Towards(2), null!, null!, null!, null!];
        saved.ForEach(tensor => tensor.Dispose());
        return gradients;
    }

    /// <param name="gain">[width], or [groups, width] where the rows of a group lie together; shift and gate alike.</param>
    /// <returns>The sum, its norm, and each row's mean and 1 / σ, [rows, 2].</returns>
    internal static (Tensor Sum, Tensor Normed, Tensor Moments) Run(
        Tensor residual, Tensor branch, Tensor gain, Tensor shift, Tensor? gate, double p, long seed, double eps, long first = 0)
    {
        var call = Call(branch, gain, shift, gate, p, seed, eps, first);
        var (sum, normed, moments) = (empty_like(residual), empty_like(branch), empty(call.Rows, 2));
        KernelLibrary.AddDropoutNorm(call, residual.Address(), branch.Address(), sum.Address(), normed.Address(), moments.Address());
        GC.KeepAlive((residual, branch, gain, shift, gate)); // the loops have addresses alone
        return (sum, normed, moments);
    }

    private static NormCall Call(Tensor branch, Tensor gain, Tensor shift, Tensor? gate, double p, long seed, double eps, long first)
    {
        long width = branch.size(-1), rows = width == 0 ? 0 : branch.numel() / width;
        return new NormCall
        {
            Rows = rows,
            Width = width,
            Group = Math.Max(1, rows / Math.Max(1, gain.numel() / Math.Max(1, width))),
            First = first,
            P = p,
            Seed = unchecked((ulong)seed),
            Epsilon = (float)eps,
            Type = KernelLibrary.TypeOf(branch),
            Gain = gain.Address(),
            Shift = shift.Address(),
            Gate = gate?.Address() ?? 0,
        };
    }
}
