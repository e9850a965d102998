using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Quantizer.Encoding;

/// <summary>Loads the codebook of a version and encodes once, so that the first request finds everything warm.</summary>
/// <param name="device">Where it encodes: cpu, cuda or cuda:N.</param>
public sealed class CodebookLoader(string device = "cpu") : IVersionPartLoader
{
    public string Name => Codebook.PartName;

    public IVersionPart? Load(VersionFolder folder, ItemTable items)
    {
        if (!folder.Has($"{Codebook.PartName}/{ModelFiles.Config}"))
        {
            return null;
        }

        var codebook = Codebook.Load(folder.PathOf(Codebook.PartName), device);
        if (!codebook.Sizes.SequenceEqual(items.CodebookSizes))
        {
            codebook.Dispose();
            throw CatalogException.Damaged(
                $"Version '{folder.Version}': the codebook has {string.Join(" × ", codebook.Sizes)} codes, the item table "
                + $"{string.Join(" × ", items.CodebookSizes)}. Rebuild the version.");
        }

        codebook.Reconstruct(codebook.Encode(new float[codebook.Fusion.Dim], 1), 1);
        return codebook;
    }
}
