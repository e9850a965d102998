namespace Recsys.Torch.Kernels;

/// <summary>Dropout by a hash of seed and place (residual.cpp), drawn again in backward instead of kept.</summary>
internal sealed class DropoutFunction : torch.autograd.SingleTensorFunction<DropoutFunction>
{
    public override string Name => nameof(DropoutFunction);

    public override Tensor forward(torch.autograd.AutogradContext ctx, params object[] vars)
    {
        ctx.save_data("p", vars[1]);
        ctx.save_data("seed", vars[2]);
        return Run((Tensor)vars[0], (double)vars[1], (long)vars[2]);
    }

    public override List<Tensor> backward(torch.autograd.AutogradContext ctx, Tensor grad_output) =>
        [Run(grad_output, (double)ctx.get_data("p"), (long)ctx.get_data("seed")), null!, null!];

    private static Tensor Run(Tensor input, double p, long seed)
    {
        var dense = input.contiguous();
        var output = empty_like(dense);
        long width = dense.size(-1);
        KernelLibrary.Dropout(
            KernelLibrary.TypeOf(dense), width == 0 ? 0 : dense.numel() / width, width, p, unchecked((ulong)seed), dense.Address(), output.Address());
        return output;
    }
}
