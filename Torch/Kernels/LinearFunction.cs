namespace Recsys.Torch.Kernels;

/// <summary>A linear layer, or GELU and a linear layer, in bf16 (linear.cpp). Backward makes GELU anew: only its input is kept.</summary>
internal sealed class LinearFunction : torch.autograd.SingleTensorFunction<LinearFunction>
{
    // Where fewer rows share the packing of the weights, and where the weights fill the caches by themselves, libtorch's products are as
    // fast.
    private const long MinRows = 192, MaxWeights = 1 << 21;

    internal static readonly Lazy<bool> Here = new(() => KernelLibrary.HasLinear() != 0);

    public override string Name => nameof(LinearFunction);

    // Input, weight, bias or null, gelu.
    public override Tensor forward(torch.autograd.AutogradContext ctx, params object[] vars)
    {
        var (input, weight, bias, gelu) = ((Tensor)vars[0], (Tensor)vars[1], vars[2] as Tensor, (bool)vars[3]);
        var x = input.contiguous();
        ctx.save_for_backward([x, weight]);
        ctx.save_data("input", input.requires_grad); // a dense copy made here has forgotten it
        ctx.save_data("bias", bias is not null);
        ctx.save_data("gelu", gelu);
        return Run(x, weight, bias, gelu);
    }

    public override List<Tensor> backward(torch.autograd.AutogradContext ctx, Tensor grad_output)
    {
        var saved = ctx.get_saved_variables();
        var (x, weight) = (saved[0], saved[1]);
        using var gradient = grad_output.to(x.dtype).contiguous();
        var towardsInput = (bool)ctx.get_data("input") ? empty_like(x) : null;
        var towardsBias = (bool)ctx.get_data("bias") ? empty(weight.size(0)) : null;
        var towardsWeight = empty_like(weight);
        KernelLibrary.LinearBackward(
            Call(x, weight, null, (bool)ctx.get_data("gelu")),
            gradient.Address(), towardsInput?.Address() ?? 0, towardsWeight.Address(), towardsBias?.Address() ?? 0);
        saved.ForEach(tensor => tensor.Dispose());
        return [towardsInput!, towardsWeight, towardsBias!, null!];
    }

    internal static bool Takes(Tensor x, Tensor weight, Tensor? bias) =>
        Here.Value && x.numel() >= MinRows * weight.size(1) && weight.numel() is > 0 and <= MaxWeights && weight.size(0) % 2 == 0
            && weight.size(1) % 2 == 0
        && new[] { x, weight, bias ?? weight }.All(tensor => tensor.device.type == DeviceType.CPU)
        && new[] { weight, bias ?? weight }.All(tensor => tensor.dtype == ScalarType.Float32 && tensor.is_contiguous());

    /// <returns>[…, out]</returns>
    internal static Tensor Run(Tensor x, Tensor weight, Tensor? bias, bool gelu)
    {
        var output = empty([.. x.shape[..^1], weight.size(0)], dtype: x.dtype);
        KernelLibrary.Linear(Call(x, weight, bias, gelu), output.Address());
        GC.KeepAlive((x, weight, bias)); // the loops have addresses alone
        return output;
    }

    private static LinearCall Call(Tensor x, Tensor weight, Tensor? bias, bool gelu) => new()
    {
        Rows = x.numel() / weight.size(1),
        Inputs = weight.size(1),
        Outputs = weight.size(0),
        Gelu = gelu ? 1 : 0,
        Input = x.Address(),
        Weight = weight.Address(),
        Bias = bias?.Address() ?? 0,
    };
}
