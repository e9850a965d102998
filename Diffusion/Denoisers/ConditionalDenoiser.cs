using Recsys.Diffusion.Conditioners;
using Recsys.Diffusion.Recipes;

namespace Recsys.Diffusion.Denoisers;

/// <summary>A denoiser and the conditioner that it is trained with: what a checkpoint holds.</summary>
public sealed class ConditionalDenoiser : Module
{
    private readonly UNet denoiser;
    private readonly SemanticIdConditioner conditioner;

    public ConditionalDenoiser(Recipe recipe, int[] codebookSizes, int imageSize)
        : base(nameof(ConditionalDenoiser))
    {
        var codec = RecipeParts.Codecs[recipe.Codec];
        denoiser = new UNet(recipe.Denoiser, codec.Channels, recipe.Sketch ? 3 : 0);
        conditioner = new SemanticIdConditioner(
            codebookSizes,
            denoiser.ConditionDim,
            recipe.DropAll,
            recipe.DropLevel,
            recipe.Sketch
                ? new SketchTables(codebookSizes, Math.Min(SketchTables.MaxSide, imageSize / 2), imageSize / codec.Factor)
                : null);
        RegisterComponents();
    }

    public IDenoiser Denoiser => denoiser;

    public SemanticIdConditioner Conditioner => conditioner;

    /// <summary>Where it computes.</summary>
    public Device Device => conditioner.Device;
}
