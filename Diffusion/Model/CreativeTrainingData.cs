using Recsys.Catalog.Ports;
using Recsys.Imaging;

namespace Recsys.Diffusion.Model;

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
        Faults.ThrowIfAny("Creative training data", faults =>
        {
            faults.Check(Present.Length == Ids.Length, "presence flags", Present.Length, $"one for each of {Ids.Length} items");
            faults.Check(
                Pixels.Length == (long)Ids.Length * 3 * ImageSize * ImageSize, "bytes of pixels", Pixels.Length,
                $"{Ids.Length} pictures of 3 x {ImageSize} x {ImageSize}");
            string sizes = string.Join(", ", CodebookSizes);
            faults.Check(
                CodebookSizes.Length is >= 1 and <= SemanticId.MaxLevels && CodebookSizes.All(size => size is >= 1 and <= 65_536),
                "codebook sizes", $"[{sizes}]", $"1 to {SemanticId.MaxLevels} levels of 1 to 65,536 codes");
            int odd = Array.FindIndex(
                Ids,
                id => id.Levels != CodebookSizes.Length || Enumerable.Range(0, id.Levels).Any(level => id[level] >= CodebookSizes[level]));
            faults.Check(odd < 0, $"semantic ID of item {odd}", odd < 0 ? null : Ids[odd], $"an ID of a codebook of [{sizes}] codes");
        });
        if (!Present.Contains(true))
        {
            throw CatalogException.Precondition(
                "No item has a picture that can be decoded, so there is nothing to learn to draw from. Add images.zip or images/ to the "
                + "dataset, or rebuild without the creative model.");
        }
    }
}
