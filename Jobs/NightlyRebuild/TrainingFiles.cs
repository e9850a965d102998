using Recsys.Catalog;

namespace Recsys.Jobs.NightlyRebuild;

/// <summary>Where a rebuild's trainings keep their checkpoints: beside the versions, until the version that they made is
/// published.</summary>
internal static class TrainingFiles
{
    private const string Folder = ".checkpoints";

    public static CheckpointPlace Retrieval(string versions, bool fitAll, RebuildOptions options) =>
        Place(versions, "retrieval", fitAll, options);

    public static CheckpointPlace Creative(string versions, bool fitAll, RebuildOptions options) =>
        Place(versions, "creative", fitAll, options);

    public static void Delete(string versions)
    {
        string folder = Path.Combine(versions, Folder);
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static CheckpointPlace Place(string versions, string stage, bool fitAll, RebuildOptions options) =>
        new(
            Path.Combine(versions, Folder, stage + (fitAll ? "-all" : "") + ".safetensors"),
            TimeSpan.FromSeconds(options.CheckpointSeconds));
}
