using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Recsys.Faiss.Native;

/// <summary>
/// Finds librecsys_faiss.so: beside the assemblies, then where RECSYS_FAISS says. It uses the process's libgomp.so.1. TorchSharp brings a
/// copy with that same SONAME under another file name: load torch first, and its pool of threads serves FAISS too; the other way round
/// there are two pools.
/// </summary>
internal static class LibraryResolver
{
    internal const string FileName = "librecsys_faiss.so", Variable = "RECSYS_FAISS";

    private const string Remedy = "the build makes it with g++ and puts it beside the assemblies (Debian: apt-get install g++ "
        + "libfaiss-dev "
        + $"libopenblas0-openmp); ./recsys doctor says what is missing; {Variable} names another file";

#pragma warning disable CA2255 // the resolver must stand before the first call, wherever it comes from
    [ModuleInitializer]
    internal static void Register() => NativeLibrary.SetDllImportResolver(
        typeof(LibraryResolver).Assembly,
        (name, _, _) => name == NativeMethods.Library ? Load(Candidates(Environment.GetEnvironmentVariable(Variable))) : 0);
#pragma warning restore CA2255

    /// <summary>The files to try, in order.</summary>
    internal static string[] Candidates(string? named)
    {
        string?[] files = [Path.GetDirectoryName(typeof(LibraryResolver).Assembly.Location), AppContext.BaseDirectory];
        files = [.. files.Where(folder => !string.IsNullOrEmpty(folder)).Select(folder => Path.Combine(folder!, FileName)), named];
        return [.. files.OfType<string>().Where(file => file.Length > 0).Select(Path.GetFullPath).Distinct()];
    }

    /// <exception cref="FaissException">None of them is there, or one is and does not load.</exception>
    internal static nint Load(string[] candidates)
    {
        string? found = Array.Find(candidates, File.Exists);
        if (found is null)
        {
            throw FaissException.Fault($"loading {FileName}", $"it is none of {string.Join(", ", candidates)}", Remedy);
        }

        try
        {
            return NativeLibrary.Load(found);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw FaissException.Fault($"loading {FileName}", $"{found} is there but does not load: {e.Message.Trim()}", Remedy);
        }
    }
}
