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
            AttentionKernel.Call(qkv, offsets, offsets, null, (bool)ctx.get_data("causal")), AttentionPart.Of(qkv), gradient.Address(),
            logSums.Address(), AttentionPart.Of(towards));
        saved.ForEach(tensor => tensor.Dispose());
        return [towards, null!, null!];
    }

    /// <param name="qkv">[tokens, 3, heads, width], dense.</param>
    /// <returns>[tokens, heads, width], and the log-sum-exp of each row of scores, [heads, tokens].</returns>
    internal static (Tensor Output, Tensor LogSums) Run(Tensor qkv, Tensor offsets, bool causal) =>
        AttentionKernel.Run(qkv, AttentionPart.Of(qkv), offsets, offsets, null, causal);
}

/// <summary>Attention of packed sequences to others (attention.cpp): one gradient for the queries, one for keys and values.</summary>
internal sealed class CrossAttentionFunction : torch.autograd.SingleTensorFunction<CrossAttentionFunction>
{
    public override string Name => nameof(CrossAttentionFunction);

    public override Tensor forward(torch.autograd.AutogradContext ctx, params object[] vars)
    {
        var (q, kv) = (((Tensor)vars[0]).contiguous(), ((Tensor)vars[1]).contiguous());
        var (offsets, keyOffsets, visible) = ((Tensor)vars[2], (Tensor)vars[3], (Tensor)vars[4]);
        var (output, logSums) = Run(q, kv, offsets, keyOffsets, visible);
        ctx.save_for_backward([q, kv, offsets, keyOffsets, visible, logSums]);
        return output;
    }

    public override List<Tensor> backward(torch.autograd.AutogradContext ctx, Tensor grad_output)
    {
        var saved = ctx.get_saved_variables();
        var (q, kv, offsets, keyOffsets, visible, logSums) = (saved[0], saved[1], saved[2], saved[3], saved[4], saved[5]);
        using var gradient = grad_output.to(q.dtype).contiguous();
        var (towardsQueries, towardsKeys) = (empty_like(q), empty_like(kv));
        KernelLibrary.AttentionBackward(
            AttentionKernel.Call(q, offsets, keyOffsets, visible, causal: false), [.. AttentionPart.Of(q), .. AttentionPart.Of(kv)],
            gradient.Address(), logSums.Address(), [.. AttentionPart.Of(towardsQueries), .. AttentionPart.Of(towardsKeys)]);
        saved.ForEach(tensor => tensor.Dispose());
        return [towardsQueries, towardsKeys, null!, null!, null!];
    }

    /// <param name="q">[tokens, 1, heads, width], dense.</param>
    /// <param name="kv">[keys, 2, heads, width], dense.</param>
    /// <param name="visible">[tokens]</param>
    /// <returns>As of <see cref="SelfAttentionFunction.Run"/>.</returns>
    internal static (Tensor Output, Tensor LogSums) Run(Tensor q, Tensor kv, Tensor offsets, Tensor keyOffsets, Tensor visible)
    {
        var result = AttentionKernel.Run(
            q, [.. AttentionPart.Of(q), .. AttentionPart.Of(kv)], offsets, keyOffsets, visible, causal: false);
        GC.KeepAlive(kv); // the loops have addresses alone
        return result;
    }
}

internal static class AttentionKernel
{
    /// <param name="queries">[tokens, parts, heads, width], of whose tokens there is an output.</param>
    public static (Tensor Output, Tensor LogSums) Run(
        Tensor queries, AttentionPart[] parts, Tensor offsets, Tensor keyOffsets, Tensor? visible, bool causal)
    {
        var output = empty(queries.size(0), queries.size(2), queries.size(3), dtype: queries.dtype);
        var logSums = empty(queries.size(2), queries.size(0));
        KernelLibrary.Attention(Call(queries, offsets, keyOffsets, visible, causal), parts, output.Address(), logSums.Address());
        GC.KeepAlive((queries, offsets, keyOffsets, visible)); // the loops have addresses alone
        return (output, logSums);
    }

    public static AttentionCall Call(Tensor queries, Tensor offsets, Tensor keyOffsets, Tensor? visible, bool causal) => new()
    {
        Heads = queries.size(2),
        Width = queries.size(3),
        Sequences = offsets.numel() - 1,
        Tokens = queries.size(0),
        Causal = causal ? 1 : 0,
        Type = KernelLibrary.TypeOf(queries),
        Offsets = offsets.Address(),
        KeyOffsets = keyOffsets.Address(),
        Visible = visible?.Address() ?? 0,
    };
}
