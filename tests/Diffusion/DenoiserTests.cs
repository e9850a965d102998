using Recsys.Catalog;
using Recsys.Diffusion.Denoisers;
using Recsys.Diffusion.Recipes;
using Recsys.Diffusion.Solvers;
using Recsys.Diffusion.Training;

namespace Recsys.Diffusion.Tests;

public class DenoiserTests
{
    [Fact]
    public void Timestep_embeddings_are_those_of_latent_diffusion()
    {
        using var scope = NewDisposeScope();
        var times = arange(128, ScalarType.Float32);
        double[][] ldm = [[.3019, .2280, .1716], [.3146, .2377, .1790], [.3272, .2474, .1864]];
        Check(ldm, TimeEmbedding.Of(times, 64));

        static void Check(double[][] rows, Tensor embedding)
        {
            for (int row = 0; row < 3; row++)
            {
                for (int column = 0; column < 3; column++)
                {
                    Assert.Equal(rows[row][column], embedding[23 + row, 47 + column].item<float>(), 1e-4);
                }
            }
        }
    }

    [Fact]
    public void An_untrained_unet_answers_exactly_0()
    {
        using var scope = NewDisposeScope();
        using var unet = new UNet(
            new UNetOptions { Channels = 16, Multipliers = [1, 2, 4], HeadChannels = 16, AttentionLevels = [1, 2] }, 3);
        using var noise = new SeedPerImage([1, 2]);
        var output = unet.forward(noise.Normal(3, 16, 16), tensor(new[] { 3f, 900f }), noise.Normal(64));
        Assert.Equal([2, 3, 16, 16], output.shape);
        Assert.Equal(0, output.abs().max().item<float>());
    }

    /// <summary>TorchSharp leaves a new normalisation's gains and biases as the memory was.</summary>
    [Fact]
    public void A_new_unet_has_gains_of_1_biases_of_0_and_no_weight_under_two_names()
    {
        using var scope = NewDisposeScope();
        for (int round = 0; round < 3; round++)
        {
            full([1 << 20], float.NaN).Dispose(); // what is freed comes back as it was
            using var unet = new UNet(new UNetOptions { Channels = 16, Multipliers = [1, 2], HeadChannels = 16, AttentionLevels = [1] }, 3);
            var norms = unet.named_parameters().Where(pair => pair.name.Contains("norm", StringComparison.Ordinal)).ToList();
            Assert.NotEmpty(norms);
            Assert.All(norms, pair =>
            {
                float expected = pair.name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0;
                Assert.Equal(expected, pair.parameter.data<float>().ToArray().Distinct().Single());
            });
            using var _ = no_grad();
            var parameters = unet.parameters().ToArray();
            for (int i = 0; i < parameters.Length; i++)
            {
                parameters[i].fill_(i);
            }

            Assert.Equal(Enumerable.Range(0, parameters.Length), parameters.Select(parameter => (int)parameter.max().item<float>()));
        }
    }

    [Fact]
    public void An_untrained_residual_block_is_its_skip_path()
    {
        using var scope = NewDisposeScope();
        using var block = new ResidualBlock(new UNetOptions { Channels = 8 }, 8, 8);
        using var noise = new SeedPerImage([1, 2]);
        var x = noise.Normal(8, 4, 4);
        Assert.True(block.forward(x, noise.Normal(32)).equal(x).all().item<bool>());
    }

    [Theory]
    [InlineData(64, new[] { 1, 2 }, 2, new[] { 1 }, 1, 12, 3)] // the default
    [InlineData(32, new[] { 1, 2 }, 2, new[] { 1 }, 1, 12, 3)] // the demo's
    [InlineData(32, new[] { 1, 2, 4 }, 1, new[] { 0, 2 }, 2, 3, 0)]
    [InlineData(32, new[] { 1 }, 3, new int[0], 2, 3, 0)]
    public void It_has_the_parameters_that_its_layers_add_up_to(
        int channels, int[] multipliers, int blocks, int[] attends, int middle, int pictures, int hint)
    {
        var options = new UNetOptions
        {
            Channels = channels, Multipliers = multipliers, Blocks = blocks, AttentionLevels = attends, MiddleBlocks = middle,
        };
        long dim = 4 * channels;
        long Layer(long from, long to, long kernel = 3) => (from * to * kernel * kernel) + to; // kernel 1: a linear layer as well
        long Block(long from, long to) =>
            (2 * from) + Layer(from, to) + Layer(dim, 2 * to, 1) + (2 * to) + Layer(to, to) + (from == to ? 0 : Layer(from, to, 1));
        long Attention(long width) => (2 * width) + Layer(width, 3 * width, 1) + Layer(width, width, 1);
        long[] widths = [.. multipliers.Select(multiplier => (long)channels * multiplier)];
        long deepest = widths[^1];
        long expected = Layer(channels, dim, 1) + Layer(dim, dim, 1) + Layer(pictures + hint, channels) // time and input
            + (middle * Block(deepest, deepest)) + Attention(deepest)
            + (2 * channels * multipliers[0]) + Layer(widths[0], pictures); // norm and output
        for (int level = 0; level < widths.Length; level++)
        {
            long w = widths[level], above = level == 0 ? channels : widths[level - 1];
            long below = level + 1 < widths.Length ? widths[level + 1] : deepest;
            expected += Block(above, w) + Block(below + w, w) + ((blocks - 1) * (Block(w, w) + Block(2 * w, w))) // down and up
                + (attends.Contains(level) ? 2 * blocks * Attention(w) : 0)
                + (level + 1 < widths.Length ? Layer(w, w) : 0) // half the side
                + (level > 0 ? Layer(w, w) : 0); // twice the side
        }

        using var unet = new UNet(options, pictures, hint);
        Assert.Equal(expected, unet.parameters().Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void Bad_sizes_are_all_named_at_once()
    {
        Assert.Equal(4, FaultsOf(new UNetOptions { Channels = 12, Blocks = 0, AttentionLevels = [3], HeadChannels = 7 }).Count);
        Assert.Contains("a divisor of", Assert.Single(FaultsOf(new UNetOptions { HeadChannels = 48 })), StringComparison.Ordinal);

        static IReadOnlyList<string> FaultsOf(UNetOptions options)
        {
            var faults = new Faults("denoiser");
            options.Check(faults);
            return faults.List;
        }
    }
}
