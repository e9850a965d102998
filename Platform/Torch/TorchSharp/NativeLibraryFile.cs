namespace Recsys.Torch;

/// <summary>The native library beside TorchSharp: FAISS alone, because a process cannot hold TorchSharp's libtorch and a second one.</summary>
internal static class NativeLibraryFile
{
    internal const string Name = "librecsys_faiss.so";

    internal const string Remedy = "Build it with cmake -S Platform/Native -B <folder> -DRECSYS_TORCH=OFF";
}
