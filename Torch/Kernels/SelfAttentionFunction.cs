namespace Recsys.Torch.Kernels;

/// <summary>Attention of packed sequences to themselves (attention.cpp): one gradient for queries, keys and values together.</summary>
internal sealed class SelfAttentionFunction : torch.autograd.SingleTensorFunction<SelfAttentionFunction>
{
    public override string Name => nameof(SelfAttentionFunction);

    public override Tensor forward(torch.autograd.AutogradContext ctx, params object[] vars)
    {
        var (qkv, offsets, causal) = (((Tensor)vars[0]).contiguous(), (Tensor)vars[1], (bool)vars[2]);
        var (output, logSums) = Run(qkv, offsets, causal);
        ctx.save_for_backward([qkv, offsets, logSums]);
        ctx.save_data("causal", causal);
        return output;
    }

    public override List<Tensor> backward(torch.autograd.AutogradContext ctx, Tensor grad_output)
    {
        var saved = ctx.get_saved_variables();
        var (qkv, offsets, logSums) = (saved[0], saved[1], saved[2]);
        using var gradient = grad_output.to(qkv.dtype).contiguous();
        var towards = empty_like(qkv);
        KernelLibrary.AttentionBackward(
            Call(qkv, offsets, (bool)ctx.get_data("causal")), gradient.Address(), logSums.Address(), towards.Address());
        saved.ForEach(tensor => tensor.Dispose());
        return [towards, null!, null!];
    }

    /// <param name="qkv">[tokens, 3, heads, width], dense.</param>
    /// <returns>[tokens, heads, width], and the log-sum-exp of each row of scores, [heads, tokens].</returns>
    internal static (Tensor Output, Tensor LogSums) Run(Tensor qkv, Tensor offsets, bool causal)
    {
        var output = empty(qkv.size(0), qkv.size(2), qkv.size(3), dtype: qkv.dtype);
        var logSums = empty(qkv.size(2), qkv.size(0));
        KernelLibrary.Attention(Call(qkv, offsets, causal), output.Address(), logSums.Address());
        GC.KeepAlive((qkv, offsets)); // the loops have addresses alone
        return (output, logSums);
    }

    private static AttentionCall Call(Tensor qkv, Tensor offsets, bool causal) => new()
    {
        Heads = qkv.size(2),
        Width = qkv.size(3),
        Sequences = offsets.numel() - 1,
        Tokens = qkv.size(0),
        Causal = causal ? 1 : 0,
        Type = KernelLibrary.TypeOf(qkv),
        Offsets = offsets.Address(),
        Projected = qkv.Address(),
    };
}
