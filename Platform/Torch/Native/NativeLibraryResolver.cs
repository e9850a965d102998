using System.Reflection;
using System.Runtime.InteropServices;

namespace Recsys.Torch;

/// <summary>
/// Finds the native library: the file that <c>RECSYS_NATIVE</c> names, else beside the assembly, else in an
/// <c>artifacts/native</c> folder at or above the assembly's own. A failure says what was searched and what to run.
/// </summary>
public static class NativeLibraryResolver
{
    /// <summary>The name that P/Invoke declarations use.</summary>
    public const string LibraryName = "recsys_native";

    private static readonly HashSet<Assembly> Registered = [];

    /// <summary>Makes this assembly's P/Invokes to <see cref="LibraryName"/> find the library. Repeating it is harmless.</summary>
    public static void Register(Assembly assembly)
    {
        lock (Registered)
        {
            if (Registered.Add(assembly))
            {
                NativeLibrary.SetDllImportResolver(assembly, Resolve);
            }
        }
    }

    /// <summary>The files that are tried, in order, for an assembly in this folder.</summary>
    public static IEnumerable<string> Candidates(string? folder)
    {
        if (Environment.GetEnvironmentVariable("RECSYS_NATIVE") is { Length: > 0 } named)
        {
            yield return Path.GetFullPath(named);
            yield break; // an explicit choice is not silently replaced by another build
        }

        foreach (var start in new[] { folder, AppContext.BaseDirectory }.OfType<string>().Where(f => f.Length > 0).Distinct())
        {
            yield return Path.Combine(start, NativeLibraryFile.Name);
            for (var up = new DirectoryInfo(start); up is not null; up = up.Parent)
            {
                yield return Path.Combine(up.FullName, "artifacts", "native", NativeLibraryFile.Name);
            }
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != LibraryName)
        {
            return 0;
        }

        var candidates = Candidates(Path.GetDirectoryName(assembly.Location)).ToList();
        var reasons = new List<string>();
        foreach (var file in candidates.Where(File.Exists))
        {
            try
            {
                return NativeLibrary.Load(file);
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                reasons.Add(e.Message.Trim());
            }
        }

        throw new DllNotFoundException(reasons.Count > 0
            ? $"The native library was found but did not load: {string.Join("; ", reasons)}. {NativeLibraryFile.Remedy}."
            : $"The native library {NativeLibraryFile.Name} was not found. Searched: {string.Join(", ", candidates)}. "
              + $"{NativeLibraryFile.Remedy}, or set RECSYS_NATIVE to the file.");
    }
}
