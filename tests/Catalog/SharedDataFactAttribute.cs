namespace Recsys.Catalog.Tests;

/// <summary>A fact about a real data set beside the repository; skipped, with the reason, where that is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute(string folder)
    {
        if (SharedData.Find(folder) is null)
        {
            Skip = $"../shared/data/{folder} is not beside this checkout.";
        }
    }
}

/// <summary>Finds <c>shared/data</c> beside the repository, walking up from the test assembly.</summary>
public static class SharedData
{
    public static string? Find(string folder)
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Recsys.sln")))
            {
                string data = Path.Combine(at.FullName, "..", "shared", "data", folder);
                return Directory.Exists(data) ? Path.GetFullPath(data) : null;
            }
        }

        return null;
    }

    public static string Of(string folder) => Find(folder)!;
}
