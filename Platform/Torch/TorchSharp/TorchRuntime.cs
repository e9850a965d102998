namespace Recsys.Torch;

/// <summary>What this machine can do, as far as TorchSharp tells.</summary>
public static class TorchRuntime
{
    public static string Version => __version__;

    public static bool HasCuda => cuda.is_available();

    /// <summary>False: without autocast a fast bf16 product is never chosen.</summary>
    public static bool CpuHasBFloat16 => false;
}
