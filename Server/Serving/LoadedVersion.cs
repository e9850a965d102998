using Recsys.Catalog.Ports;

namespace Recsys.Server.Serving;

/// <summary>
/// The loaded parts of one version: each of its snapshots holds one reference. The parts (and the native memory of their weights) go
/// when the last reference does, so a swap never takes a model from under a request.
/// </summary>
internal sealed class LoadedVersion(VersionFolder folder, IReadOnlyList<IVersionPart> parts) : Counted
{
    public VersionFolder Folder { get; } = folder;

    public IReadOnlyList<IVersionPart> Parts { get; } = parts;

    protected override void End()
    {
        foreach (var part in Parts)
        {
            part.Dispose();
        }
    }

    /// <summary>Opens, checks and loads a version; nothing stays loaded when a part is damaged.</summary>
    public static LoadedVersion Load(IVersionStore versions, string version, IEnumerable<IVersionPartLoader> loaders)
    {
        var folder = versions.Open(version);
        var parts = new List<IVersionPart>();
        try
        {
            foreach (var loader in loaders)
            {
                if (loader.Load(folder, folder.Items) is { } part)
                {
                    parts.Add(part);
                }
            }
        }
        catch
        {
            parts.ForEach(part => part.Dispose());
            throw;
        }

        return new LoadedVersion(folder, parts);
    }
}
