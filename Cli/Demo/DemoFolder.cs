using Recsys.Catalog;

namespace Recsys.Cli.Demo;

/// <summary>The demo's folder: made anew each time, but only if it was the demo's before.</summary>
internal static class DemoFolder
{
    private const string Marker = ".recsys-demo";

    public static void Prepare(string folder)
    {
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            if (!File.Exists(Path.Combine(folder, Marker)))
            {
                throw CatalogException.Invalid($"'{folder}' is not empty and was not made by the demo; name another folder with --out.");
            }

            Directory.Delete(folder, recursive: true);
        }

        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, Marker), "");
    }

    /// <summary>The bundled catalogue: in the checkout that this program was built in.</summary>
    public static string Stickers()
    {
        for (var place = new DirectoryInfo(AppContext.BaseDirectory); place is not null; place = place.Parent)
        {
            string samples = Path.Combine(place.FullName, "samples", "stickers");
            if (File.Exists(Path.Combine(samples, "dataset.json")))
            {
                return samples;
            }
        }

        throw CatalogException.NotFound(
            $"No folder above '{AppContext.BaseDirectory}' holds samples/stickers. Run the demo from a checkout.");
    }
}
