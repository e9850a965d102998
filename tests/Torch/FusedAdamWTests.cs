using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

/// <summary>Against TorchSharp's own AdamW, step by step.</summary>
public sealed class FusedAdamWTests
{
    public static TheoryData<bool, bool> Variants => new() { { false, false }, { true, false }, { false, true }, { true, true } };

    [Theory]
    [MemberData(nameof(Variants))]
    public void Twenty_steps_of_several_groups_equal_those_of_TorchSharp(bool amsgrad, bool maximize)
    {
        using var scope = NewDisposeScope();
        var (ours, theirs) = (Weights(), Weights());
        AdamW.ParamGroup[] Groups(Parameter[] of) =>
        [
            new(of[..2], lr: 1e-2, weight_decay: 0.1, amsgrad: amsgrad, maximize: maximize),
            new([of[2]], lr: 3e-3, beta1: 0.5, beta2: 0.9, eps: 1e-3, weight_decay: 0, amsgrad: amsgrad, maximize: maximize),
            new(of[3..], lr: 1e-1, weight_decay: 0.01, amsgrad: amsgrad, maximize: maximize),
        ];
        using var fused = new FusedAdamW(Groups(ours));
        using var plain = new AdamW(Groups(theirs));
        for (ulong step = 1; step <= 20; step++)
        {
            Feed(ours, step);
            Feed(theirs, step);
            fused.step();
            plain.step();
        }

        foreach (var (expected, actual) in theirs.Zip(ours))
        {
            Close(expected, actual, 1e-6);
        }
    }

    [Fact]
    public void The_first_step_has_its_closed_form()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(Random(1, 20_000).to(ScalarType.Float32)); // more than one piece of work
        var gradient = Random(2, 20_000).to(ScalarType.Float32);
        var (w, g) = (weight.Doubles(), gradient.Doubles());
        weight.grad = gradient;
        using var fused = new FusedAdamW([weight], 0.01, 0.2);
        fused.step();
        Close([.. w.Zip(g, (w, g) => (w * (1 - (0.01 * 0.2))) - (0.01 * g / (Math.Abs(g) + 1e-8)))], weight.Doubles(), 1e-6);
    }

    [Fact]
    public void A_parameter_without_gradient_is_left_alone()
    {
        using var scope = NewDisposeScope();
        var (fed, alone) = (new Parameter(ones(5)), new Parameter(ones(5)));
        using var fused = new FusedAdamW([fed, alone], 0.1, 0.5);
        fed.grad = ones(5);
        fused.step();
        Assert.Equal(ones(5).Bytes(), alone.Bytes());
        Assert.NotEqual(ones(5).Bytes(), fed.Bytes());
    }

    [Fact]
    public void A_parameter_that_is_not_dense_is_stepped_all_the_same()
    {
        using var scope = NewDisposeScope();
        Parameter Transposed() => new(Random(1, 6, 4).to(ScalarType.Float32).t());
        var (one, other) = (Transposed(), Transposed());
        (one.grad, other.grad) = (Random(2, 4, 6).to(ScalarType.Float32), Random(2, 4, 6).to(ScalarType.Float32));
        using var fused = new FusedAdamW([one], 0.1);
        using var plain = new AdamW([other], 0.1, weight_decay: 0);
        fused.step();
        plain.step();
        Close(other, one, 1e-6);
    }

    [Fact]
    public void In_float64_and_with_a_closure_it_is_TorchSharps_own()
    {
        using var scope = NewDisposeScope();
        ScalarType[] types = [ScalarType.Float64, ScalarType.Float32, ScalarType.Float64];
        var weights = types.Select(type => new Parameter(ones(5, dtype: type))).ToArray();
        using var wide = new FusedAdamW([weights[0]], 0.1);
        using var closed = new FusedAdamW([weights[1]], 0.1);
        using var plain = new AdamW([weights[2]], 0.1, weight_decay: 0);
        foreach (var weight in weights)
        {
            weight.grad = ones_like(weight);
        }

        wide.step();
        plain.step();
        Assert.Equal(7.0, closed.step(() => tensor(7.0)).item<double>());
        Assert.Equal(weights[2].Bytes(), weights[0].Bytes());
        Close(weights[2], weights[1], 1e-6);
    }

    [Fact]
    public void Saved_and_loaded_it_goes_on_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        var whole = Weights();
        using var fused = new FusedAdamW(whole, 1e-2, 0.1);
        Run(whole, fused, 1, 7);
        using var file = new MemoryStream();
        fused.save_state_dict(new BinaryWriter(file));
        var resumed = whole.Select(weight => new Parameter(weight.detach().clone())).ToArray();
        using var loaded = new FusedAdamW(resumed, 0.5);
        file.Position = 0;
        loaded.load_state_dict(new BinaryReader(file));
        Run(whole, fused, 8, 20);
        Run(resumed, loaded, 8, 20);
        Assert.Equal(whole.Select(Bytes), resumed.Select(Bytes));
    }

    private static byte[] Bytes(Parameter parameter) => ((Tensor)parameter).Bytes();

    private static void Run(Parameter[] weights, FusedAdamW fused, ulong from, ulong to)
    {
        for (ulong step = from; step <= to; step++)
        {
            Feed(weights, step);
            fused.step();
        }
    }

    private static Parameter[] Weights()
    {
        long[][] shapes = [[30, 20], [], [7], [0], [3, 5, 2], [40_000], [4, 6]];
        return [.. shapes.Select((shape, i) => new Parameter(Random((ulong)i, shape).to(ScalarType.Float32)))];
    }

    // Gradients of more than one dimension are transposed; the third comes only at every other step.
    private static void Feed(Parameter[] weights, ulong step)
    {
        for (int i = 0; i < weights.Length; i++)
        {
            var shape = weights[i].shape;
            var gradient = Random((1000 * step) + (ulong)i, [.. shape.Reverse()]).to(ScalarType.Float32);
            weights[i].grad = i == 2 && step % 2 == 0 ? null : gradient.permute([.. shape.Select((_, d) => shape.Length - 1L - d)]);
        }
    }
}
