using Recsys.Diffusion.Denoisers;
using Recsys.Diffusion.Recipes;
using Recsys.Diffusion.Solvers;

namespace Recsys.Diffusion.Model;

/// <summary>A trained creative model: averaged weights, their recipe, and the codebook that they were conditioned on.</summary>
public sealed class CreativeModel : IDisposable
{
    internal CreativeModel(ConditionalDenoiser network, Recipe recipe, int imageSize, int[] codebookSizes, TrainingRecord training) =>
        (Network, Recipe, ImageSize, CodebookSizes, Training) = (network, recipe, imageSize, codebookSizes, training);

    public Recipe Recipe { get; }

    /// <summary>Side of the pictures that it draws.</summary>
    public int ImageSize { get; }

    /// <summary>[levels] codes at each level.</summary>
    public int[] CodebookSizes { get; }

    public TrainingRecord Training { get; }

    internal ConditionalDenoiser Network { get; }

    /// <summary>Draws one picture for each ID (or prefix, or <c>default</c> for none) and seed. Safe from several threads at
    /// once.</summary>
    /// <param name="onStep">Called after each solver step with the steps done.</param>
    /// <returns>[pictures × size × size × 3] sRGB bytes, interleaved.</returns>
    /// <exception cref="CatalogException">An ID does not fit the codebook.</exception>
    public byte[] Draw(
        IReadOnlyList<SemanticId> ids, IReadOnlyList<long> seeds, int steps, double guidance, Action<int>? onStep = null,
        CancellationToken cancel = default)
    {
        using var ungraded = no_grad();
        using var scope = NewDisposeScope();
        using var noise = new SeedPerImage(seeds, Network.Device);
        using var narrow = MixedPrecision.Scope(Network.Device.type == DeviceType.CUDA);
        var codec = RecipeParts.Codecs[Recipe.Codec];
        long side = ImageSize / codec.Factor;
        var latents = RecipeParts.Sampler(Recipe, guidance).Run(
            Network.Denoiser, Network.Conditioner.Encode(ids), Network.Conditioner.Encode([.. ids.Select(_ => Network.Conditioner.Null)]),
            noise, [codec.Channels, side, side], steps, onStep, cancel);
        var pictures = ((codec.Decode(latents) + 1) * 127.5).round().clamp(0, 255).to(ScalarType.Byte); // [pictures, 3, size, size]
        return pictures.permute(0, 2, 3, 1).cpu().contiguous().data<byte>().ToArray();
    }

    /// <summary>Writes its two files into a folder, made where it is missing.</summary>
    public void Save(string folder) => CreativeFiles.Save(this, folder);

    /// <param name="device">Where it draws: cpu, cuda (in bf16) or cuda:N.</param>
    /// <exception cref="CatalogException">DataLoss: a file is missing, damaged, or does not fit the other.</exception>
    public static CreativeModel Load(string folder, string device = "cpu")
    {
        var place = Devices.Of(device);
        var model = CreativeFiles.Load(folder);
        model.Network.MoveTo(place);
        return model;
    }

    public void Dispose() => Network.Dispose();
}
