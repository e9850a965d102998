using System.Text.Json;
using Recsys.Catalog;
using Recsys.Diffusion.Denoisers;
using Recsys.Diffusion.Recipes;
using Recsys.Torch.Safetensors;

namespace Recsys.Diffusion.Training;

/// <summary>
/// A creative model on disk: <c>creative.json</c> (recipe, its hash, sizes, how it was trained) and <c>creative.safetensors</c>. Nothing
/// in either is trusted: the card is validated whole before a tensor is made, and every tensor's shape must be the one that the recipe
/// calls for.
/// </summary>
internal static class CreativeFiles
{
    internal const string CardFile = "creative.json";
    internal const string WeightsFile = "creative.safetensors";
    private const int Format = 1;

    internal sealed record Card(int Format, Recipe Recipe, string RecipeHash, int ImageSize, int[] CodebookSizes, TrainingRecord Training);

    public static void Save(CreativeModel model, string folder)
    {
        var card = new Card(Format, model.Recipe, model.Recipe.Hash(), model.ImageSize, model.CodebookSizes, model.Training);
        Directory.CreateDirectory(folder);
        SafetensorsFile.Save(Path.Combine(folder, WeightsFile), model.Network.state_dict());
        File.WriteAllBytes(Path.Combine(folder, CardFile), JsonSerializer.SerializeToUtf8Bytes(card, Recipe.Json));
    }

    public static CreativeModel Load(string folder)
    {
        var card = ReadCard(Path.Combine(folder, CardFile));
        var network = new ConditionalDenoiser(card.Recipe, card.CodebookSizes, card.ImageSize);
        try
        {
            ReadWeights(network, Path.Combine(folder, WeightsFile));
            network.eval();
            return new CreativeModel(network, card.Recipe, card.ImageSize, card.CodebookSizes, card.Training);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static Card ReadCard(string path)
    {
        Card card;
        try
        {
            card = JsonSerializer.Deserialize<Card>(File.ReadAllBytes(path), Recipe.Json) ?? throw new JsonException("it is null");
        }
        catch (Exception fault) when (fault is JsonException or IOException or UnauthorizedAccessException)
        {
            throw Damaged(path, fault.Message, fault);
        }

        if (card.Format != Format)
        {
            throw Damaged(path, $"format {card.Format}; this program reads format {Format}");
        }

        // Missing members are null here, whatever the record's types say.
        if (card.Recipe?.Denoiser?.Multipliers is null || card.Recipe.Denoiser.AttentionLevels is null
            || card.CodebookSizes is null || card.Training is null)
        {
            throw Damaged(path, "recipe, codebook_sizes or training is missing");
        }

        if (card.CodebookSizes.Length is 0 or > SemanticId.MaxLevels || card.CodebookSizes.Any(size => size is < 1 or > 65_536))
        {
            throw Damaged(path, $"codebook_sizes [{string.Join(", ", card.CodebookSizes)}] are out of range");
        }

        try
        {
            new CreativeOptions { Recipe = card.Recipe, ImageSize = card.ImageSize }.Validate();
        }
        catch (CatalogException fault)
        {
            throw Damaged(path, fault.Message, fault);
        }

        return card.RecipeHash == card.Recipe.Hash()
            ? card
            : throw Damaged(path, $"the recipe's hash is {card.Recipe.Hash()}, the file says {card.RecipeHash}");
    }

    private static void ReadWeights(ConditionalDenoiser network, string path)
    {
        using var scope = NewDisposeScope();
        try
        {
            network.Restore(SafetensorsFile.Load(path));
        }
        catch (Exception fault) when (fault is SafetensorsException or TorchException or IOException or UnauthorizedAccessException)
        {
            throw Damaged(path, fault.Message, fault);
        }
    }

    private static CatalogException Damaged(string path, string why, Exception? inner = null) =>
        CatalogException.Damaged($"Creative model, {path}: {why}. Activate another version, or rebuild this one.", inner);
}
