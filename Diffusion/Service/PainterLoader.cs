using Recsys.Catalog.Ports;
using Recsys.Diffusion.Model;

namespace Recsys.Diffusion.Service;

/// <summary>Loads a version's creative part and draws one picture with it, so that the first request does not pay for the
/// warm-up.</summary>
/// <param name="device">Where it draws: cpu, cuda or cuda:N.</param>
public sealed class PainterLoader(string device = "cpu") : IVersionPartLoader
{
    public string Name => "creative";

    public IVersionPart? Load(VersionFolder folder, ItemTable items)
    {
        if (!folder.Has($"{Name}/{ModelFiles.Config}"))
        {
            return null;
        }

        var model = CreativeModel.Load(folder.PathOf(Name), device);
        if (!model.CodebookSizes.SequenceEqual(items.CodebookSizes))
        {
            string found = string.Join(", ", model.CodebookSizes);
            model.Dispose();
            throw CatalogException.Damaged(
                $"Version {folder.Version}: the creative model was trained on a codebook of [{found}] codes, the item table has "
                + $"[{string.Join(", ", items.CodebookSizes)}]. Rebuild the version.");
        }

        var painter = new Painter(model, folder.Version);
        painter.Generate([new PaintRequest(default, 0)], new PaintOptions { Steps = 1 });
        return painter;
    }
}
