using static Recsys.Torch.torch.nn;

namespace Recsys.Torch.Tests.Robustness;

/// <summary>A small sequence model with everything that a training step has: embedding, attention, dropout, layer norms, a head.</summary>
internal sealed class TinyModel : Module<Tensor, Tensor>
{
    private readonly Recsys.Torch.Modules.Embedding _items;
    private readonly Recsys.Torch.Modules.LayerNorm _before, _after;
    private readonly Recsys.Torch.Modules.Linear _mix, _out, _up, _down, _head;
    private readonly int _heads;
    private readonly double _drop;

    internal TinyModel(int items, int width, int heads, double drop)
        : base("tiny")
    {
        (_heads, _drop) = (heads, drop);
        _items = Embedding(items, width);
        _before = LayerNorm(width);
        _after = LayerNorm(width);
        _mix = Linear(width, 3 * width);
        _out = Linear(width, width);
        _up = Linear(width, 4 * width);
        _down = Linear(4 * width, width);
        _head = Linear(width, items);
        RegisterComponents();
    }

    public override Tensor forward(Tensor items)
    {
        Tensor x = functional.dropout(_items.call(items), _drop, training); // [batch, time, width]
        var (batch, time, width) = (x.shape[0], x.shape[1], x.shape[2]);
        var parts = _mix.call(_before.call(x)).view(batch, time, 3, _heads, width / _heads).permute(2, 0, 3, 1, 4).unbind(0);
        Tensor mixed = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_casual: true); // [batch, heads, time, width / heads]
        x = x + functional.dropout(_out.call(mixed.transpose(1, 2).reshape(batch, time, width)), _drop, training);
        return _head.call(x + _down.call(functional.gelu(_up.call(_after.call(x))))); // [batch, time, items]
    }

    /// <summary>One AdamW step; the loss before it.</summary>
    internal double Step(optim.Optimizer optimizer, Tensor items)
    {
        using var scope = NewDisposeScope();
        optimizer.zero_grad();
        Tensor scores = call(items[.., ..^1]);
        Tensor loss = functional.cross_entropy(scores.to(ScalarType.Float32).flatten(0, 1), items[.., 1..].flatten());
        loss.backward();
        optimizer.step();
        return loss.item<float>();
    }
}
