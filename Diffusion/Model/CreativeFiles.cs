using Recsys.Diffusion.Denoisers;
using Recsys.Diffusion.Recipes;
using Recsys.Diffusion.Training;

namespace Recsys.Diffusion.Model;

/// <summary>How a model was trained.</summary>
/// <param name="Loss">Mean loss of the last report.</param>
/// <param name="Pictures">Items with a picture.</param>
public sealed record TrainingRecord(int Steps, int BatchSize, long Seed, double Loss, int Pictures);

/// <summary>A creative model as the two files of a model's folder.</summary>
internal static class CreativeFiles
{
    private const int CurrentFormat = 2;

    /// <summary>All that is not a tensor: recipe, its hash, sizes, how it was trained.</summary>
    private sealed record Config(int Format, Recipe Recipe, string RecipeHash, int ImageSize, int[] CodebookSizes, TrainingRecord Training)
    {
        public void Check(Faults faults)
        {
            faults.Check(Format == CurrentFormat, "format", Format, $"{CurrentFormat}");
            faults.Range("levels", CodebookSizes.Length, 1, SemanticId.MaxLevels);
            faults.Check(
                CodebookSizes.All(size => size is >= 1 and <= 65_536), "codebook_sizes", string.Join(", ", CodebookSizes),
                "1 to 65536 codes a level");
            new CreativeOptions { Recipe = Recipe, ImageSize = ImageSize }.Check(faults);
            faults.Check(RecipeHash == Recipe.Hash(), "recipe_hash", RecipeHash, $"{Recipe.Hash()}, the recipe's own");
        }
    }

    public static void Save(CreativeModel model, string folder) => ModelFiles.Save(
        folder, new Config(CurrentFormat, model.Recipe, model.Recipe.Hash(), model.ImageSize, model.CodebookSizes, model.Training),
        model.Network.state_dict(), Json.Files);

    public static CreativeModel Load(string folder) => ModelFiles.Load<Config, CreativeModel>(
        folder, Json.Files, config => Faults.Of(config.Check), CatalogException.Damaged, (config, state) =>
        {
            var network = new ConditionalDenoiser(config.Recipe, config.CodebookSizes, config.ImageSize).With(state);
            network.eval();
            return new CreativeModel(network, config.Recipe, config.ImageSize, config.CodebookSizes, config.Training);
        });
}
