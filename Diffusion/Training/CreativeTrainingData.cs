using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Imaging;

namespace Recsys.Diffusion.Training;

/// <summary>What the creative model learns from.</summary>
/// <param name="Ids">[items] semantic IDs.</param>
/// <param name="CodebookSizes">[levels] codes at each level.</param>
/// <param name="Pixels">[items, 3, size, size] bytes, row-major.</param>
/// <param name="Present">[items] false where the item has no picture.</param>
/// <param name="ImageSize">Side of each picture.</param>
public sealed record CreativeTrainingData(SemanticId[] Ids, int[] CodebookSizes, byte[] Pixels, bool[] Present, int ImageSize)
{
    /// <summary>Items whose file could not be decoded, with what was wrong: they train nothing.</summary>
    public IReadOnlyList<(int Item, string Error)> Damaged { get; init; } = [];

    /// <summary>Reads the pictures of a catalogue, each padded to a square on white and shrunk.</summary>
    /// <param name="images">Of the dataset; item i has semantic ID <paramref name="ids"/>[i].</param>
    /// <exception cref="CatalogException">DataLoss: the archive is damaged.</exception>
    public static CreativeTrainingData Load(
        IImageSource images, SemanticId[] ids, int[] codebookSizes, int imageSize, CancellationToken cancel = default)
    {
        long bytes = 3L * imageSize * imageSize * ids.Length;
        if (bytes > Array.MaxLength)
        {
            throw new CatalogException(
                Fault.ResourceExhausted,
                $"{ids.Length} pictures of {imageSize} x {imageSize} are {bytes} bytes; one array holds {Array.MaxLength}. Lower "
                + "creative.image_size, or train on fewer items.");
        }

        var batch = ImageBatch.Load(images.Read, ids.Length, imageSize, cancel: cancel);
        return new CreativeTrainingData(ids, codebookSizes, batch.Pixels, batch.Present, imageSize)
        {
            Damaged = [.. batch.Errors.Select((error, item) => (item, error))
                .Where(e => e.error is not null).Select(e => (e.item, e.error!))],
        };
    }

    /// <summary>Lengths that fit together, codes inside the codebook, and at least one picture.</summary>
    /// <exception cref="CatalogException">InvalidArgument, with all faults; FailedPrecondition without a picture.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (Present.Length != Ids.Length)
        {
            faults.Add($"{Present.Length} presence flags for {Ids.Length} items.");
        }

        if (Pixels.Length != (long)Ids.Length * 3 * ImageSize * ImageSize)
        {
            faults.Add($"{Pixels.Length} bytes of pixels are not {Ids.Length} pictures of 3 x {ImageSize} x {ImageSize}.");
        }

        if (CodebookSizes.Length is 0 or > SemanticId.MaxLevels || CodebookSizes.Any(size => size is < 1 or > 65_536))
        {
            faults.Add(
                $"Codebook sizes [{string.Join(", ", CodebookSizes)}]: 1 to {SemanticId.MaxLevels} levels of 1 to 65,536 codes are "
                + "allowed.");
        }

        int odd = Array.FindIndex(
            Ids, id => id.Levels != CodebookSizes.Length || Enumerable.Range(0, id.Levels).Any(level => id[level] >= CodebookSizes[level]));
        if (odd >= 0)
        {
            faults.Add(
                $"Item {odd} has semantic ID {Ids[odd]}, which does not fit a codebook of [{string.Join(", ", CodebookSizes)}] codes.");
        }

        if (faults.Count > 0)
        {
            throw CatalogException.Invalid("Creative training data: " + string.Join(" ", faults));
        }

        if (!Present.Contains(true))
        {
            throw CatalogException.Precondition(
                "No item has a picture that can be decoded, so there is nothing to learn to draw from. Add images.zip or images/ to the "
                + "dataset, or rebuild without the creative model.");
        }
    }
}
