namespace Recsys.Torch.Kernels;

/// <summary>residual + dropout(branch) and its layer norm (residual.cpp).</summary>
internal sealed class AddDropoutNormFunction : torch.autograd.MultiTensorFunction<AddDropoutNormFunction>
{
    private const long RowBlock = 64; // rows that share a partial sum of the gains' gradient, as there

    public override string Name => nameof(AddDropoutNormFunction);

    // Residual, branch, gain, shift, p, seed, epsilon, first row.
    public override List<Tensor> forward(torch.autograd.AutogradContext ctx, params object[] vars)
    {
        var (residual, branch, gain, shift) = (
            ((Tensor)vars[0]).contiguous(), ((Tensor)vars[1]).contiguous(), (Tensor)vars[2], (Tensor)vars[3]);
        var (sum, normed, moments) = Run(residual, branch, gain, shift, (double)vars[4], (long)vars[5], (double)vars[6], (long)vars[7]);
        ctx.save_for_backward([sum, moments, gain]);
        ctx.save_data("p", vars[4]);
        ctx.save_data("seed", vars[5]);
        ctx.save_data("first", vars[7]);
        ctx.save_data("type", branch.dtype);
        ctx.set_materialize_grads(false); // TorchSharp's zeros are made from tensors that die with the scope of the forward pass
        return [sum, normed];
    }

    public override List<Tensor> backward(torch.autograd.AutogradContext ctx, List<Tensor> grad_outputs)
    {
        var saved = ctx.get_saved_variables();
        var (sum, moments, gain) = (saved[0], saved[1], saved[2]);
        var type = (ScalarType)ctx.get_data("type");
        using var sumGradient = grad_outputs[0].IsInvalid ? zeros_like(sum) : grad_outputs[0].to(ScalarType.Float32).contiguous();
        using var normedGradient = grad_outputs[1].IsInvalid ? zeros(sum.shape, type) : grad_outputs[1].to(type).contiguous();
        var (towardsResidual, towardsBranch) = (empty_like(sum), empty(sum.shape, dtype: type));
        var call = Call(towardsBranch, gain, gain, (double)ctx.get_data("p"), (long)ctx.get_data("seed"), 0, (long)ctx.get_data("first"));
        using var sums = zeros((call.Rows + RowBlock - 1) / RowBlock, 2, call.Width);
        KernelLibrary.AddDropoutNormBackward(
            call, sum.Address(), moments.Address(), sumGradient.Address(), normedGradient.Address(), towardsResidual.Address(),
            towardsBranch.Address(), sums.Address());
        using var gains = sums.sum(dim: 0); // [2, width]
        saved.ForEach(tensor => tensor.Dispose());
        return [towardsResidual, towardsBranch, gains[0].clone(), gains[1].clone(), null!, null!, null!, null!];
    }

    /// <returns>The sum, its norm, and each row's mean and 1 / σ, [rows, 2].</returns>
    internal static (Tensor Sum, Tensor Normed, Tensor Moments) Run(
        Tensor residual, Tensor branch, Tensor gain, Tensor shift, double p, long seed, double eps, long first = 0)
    {
        var call = Call(branch, gain, shift, p, seed, eps, first);
        var (sum, normed, moments) = (empty_like(residual), empty_like(branch), empty(call.Rows, 2));
        KernelLibrary.AddDropoutNorm(call, residual.Address(), branch.Address(), sum.Address(), normed.Address(), moments.Address());
        GC.KeepAlive((residual, branch, gain, shift)); // the loops have addresses alone
        return (sum, normed, moments);
    }

    private static NormCall Call(Tensor branch, Tensor gain, Tensor shift, double p, long seed, double eps, long first)
    {
        long width = branch.size(-1);
        return new NormCall
        {
            Rows = width == 0 ? 0 : branch.numel() / width,
            Width = width,
            First = first,
            P = p,
            Seed = unchecked((ulong)seed),
            Epsilon = (float)eps,
            Type = KernelLibrary.TypeOf(branch),
            Gain = gain.Address(),
            Shift = shift.Address(),
        };
    }
}
