namespace Recsys.Diffusion;

/// <summary>A denoiser and the conditioner that it is trained with: what a checkpoint holds.</summary>
public sealed class ConditionalDenoiser : Module
{
    private readonly UNet denoiser;
    private readonly SemanticIdConditioner conditioner;

    public ConditionalDenoiser(Recipe recipe, int[] codebookSizes)
        : base(nameof(ConditionalDenoiser))
    {
        denoiser = new UNet(recipe.Denoiser, RecipeParts.Codecs[recipe.Codec]().Channels);
        conditioner = new SemanticIdConditioner(codebookSizes, denoiser.ConditionDim, recipe.DropAll, recipe.DropLevel);
        RegisterComponents();
    }

    public IDenoiser Denoiser => denoiser;

    public SemanticIdConditioner Conditioner => conditioner;

    /// <summary>Trainable numbers.</summary>
    public long ParameterCount => parameters().Sum(p => p.numel());
}
