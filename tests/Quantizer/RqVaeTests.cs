using Recsys.Quantizer.Models;

namespace Recsys.Quantizer.Tests;

public class RqVaeTests
{
    [Fact]
    public void Gradient_passes_straight_through_the_codes_to_the_latent()
    {
        using var scope = NewDisposeScope();
        var model = Make(trainable: false);
        var x = tensor(ResidualCodebooksTests.Floats(7 * 6, 1), [7, 6]);

        // The decoder's gradient at the quantised latent, by decoding it as a leaf, must reach the encoder's output unchanged.
        var pass = model.Pass(x);
        (pass.Reconstruction - x).pow(2).sum().backward();
        var through = Gradients(model, "encoder");

        model.zero_grad();
        var z = model.Latent(x);
        var quantised = model.Codebooks.Decode(model.Codebooks.Encode(z)).detach();
        quantised.requires_grad = true;
        (model.FromLatent(quantised) - x).pow(2).sum().backward();
        var atLeaf = quantised.grad!.detach().clone();
        model.zero_grad();
        model.Latent(x).backward([atLeaf]);
        var expected = Gradients(model, "encoder");

        Assert.Equal(expected.Length, through.Length);
        Assert.All(expected.Zip(through), pair => Assert.Equal(pair.First, pair.Second, tolerance: 1e-4f * (1 + Math.Abs(pair.First))));
    }

    [Fact]
    public void Gradient_of_the_codebook_loss_is_the_closed_form()
    {
        // d/de_j Σ_d mean((e_d − r_d)²) = 2 / (n · latent) · Σ over the items on j of (e_j − r_d).
        using var scope = NewDisposeScope();
        var model = Make(trainable: true);
        var x = tensor(ResidualCodebooksTests.Floats(30 * 6, 2), [30, 6]);
        var pass = model.Pass(x);
        pass.CodebookLoss.sum().backward();
        for (int level = 0; level < 2; level++)
        {
            using var expected = zeros(5, 3);
            var e = model.Codebooks.Codes[level].detach();
            var difference = (e.index_select(0, pass.Codes[level]) - pass.Residuals[level]) * (2.0 / (30 * 3));
            expected.index_add_(0, pass.Codes[level], difference, 1);
            Assert.True(expected.allclose(model.Codebooks.Codes[level].grad!, 1e-4, 1e-6));
        }

        Assert.All(
            model.named_parameters().Where(p => !p.name.StartsWith("codebooks", StringComparison.Ordinal)),
            p => Assert.True(p.parameter.grad is null || p.parameter.grad.abs().sum().ToDouble() == 0));
    }

    [Fact]
    public void The_commitment_loss_moves_the_encoder_and_no_code()
    {
        using var scope = NewDisposeScope();
        var model = Make(trainable: true);
        model.Pass(tensor(ResidualCodebooksTests.Floats(30 * 6, 3), [30, 6])).CommitmentLoss.sum().backward();
        Assert.All(model.Codebooks.Codes, code => Assert.True(code.grad is null || code.grad.abs().sum().ToDouble() == 0));
        Assert.Contains(Gradients(model, "encoder"), g => g != 0);
    }

    [Fact]
    public void Residuals_of_a_pass_are_what_the_levels_before_left_over()
    {
        using var scope = NewDisposeScope();
        var model = Make(trainable: false);
        var x = tensor(ResidualCodebooksTests.Floats(12 * 6, 4), [12, 6]);
        var pass = model.Pass(x);
        var z = model.Latent(x).detach();
        Assert.True(pass.Residuals[0].allclose(z));
        Assert.True(pass.Residuals[1].allclose(z - model.Codebooks.Codes[0].index_select(0, pass.Codes[0]).detach()));
        Assert.True(stack(pass.Codes, 1).equal(model.Codebooks.Encode(z)).all().ToBoolean());
    }

    [Fact]
    public void Standardised_inputs_are_undone_by_reconstruction()
    {
        using var scope = NewDisposeScope();
        var model = Make(trainable: false);
        using var _ = no_grad();
        var codes = tensor(new long[] { 1, 2 }, [1, 2]);
        var before = model.Decode(codes).data<float>().ToArray();
        model.Standardise(tensor(new float[] { 1, 2, 3, 4, 5, 6 }), tensor(new[] { 0.5f }));
        var after = model.Decode(codes).data<float>().ToArray();
        Assert.All(Enumerable.Range(0, 6), i => Assert.Equal((before[i] / 0.5f) + i + 1, after[i], 4));
    }

    private static float[] Gradients(RqVae model, string part) => [.. model.named_parameters()
        .Where(p => p.name.StartsWith(part, StringComparison.Ordinal))
        .SelectMany(p => p.parameter.grad!.contiguous().data<float>().ToArray())];

    private static RqVae Make(bool trainable)
    {
        var model = new RqVae(6, [8], 3, [5, 5], trainable);
        using var _ = no_grad();
        int seed = 20;
        foreach (var (_, parameter) in model.named_parameters())
        {
            parameter.copy_(tensor(ResidualCodebooksTests.Floats((int)parameter.numel(), seed++), parameter.shape));
        }

        return model;
    }
}
