namespace Recsys.Torch;

/// <summary>The native library of our own backend: tensors, and FAISS beside them.</summary>
internal static class NativeLibraryFile
{
    internal const string Name = "librecsys_native.so";

    internal const string Remedy = "Run ./recsys doctor to see what is missing";
}
