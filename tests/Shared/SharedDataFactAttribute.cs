namespace Recsys.Tests;

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

/// <summary>The real data sets beside the repository.</summary>
public static class SharedData
{
    public static string? Find(string folder)
    {
        string data = Path.GetFullPath(Path.Combine(RepositoryRoot.Path, "..", "shared", "data", folder));
        return Directory.Exists(data) ? data : null;
    }

    public static string Of(string folder) => Find(folder)!;
}
