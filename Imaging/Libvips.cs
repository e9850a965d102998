using NetVips;

namespace Recsys.Imaging;

/// <summary>libvips, set up once for the process: three loaders, no cache, one thread a picture, no words on standard error.</summary>
public static class Libvips
{
    private const Enums.LogLevelFlags Chatter =
        Enums.LogLevelFlags.Warning | Enums.LogLevelFlags.Message | Enums.LogLevelFlags.Info | Enums.LogLevelFlags.Debug;

    private static readonly Lazy<string?> Fault = new(Start);

    /// <summary>Of the library that was loaded, as major.minor.patch.</summary>
    /// <exception cref="ImageException">libvips did not load.</exception>
    public static string Version
    {
        get
        {
            Require();
            return string.Join('.', Enumerable.Range(0, 3).Select(part => NetVips.NetVips.Version(part)));
        }
    }

    /// <exception cref="ImageException">libvips did not load.</exception>
    internal static void Require()
    {
        if (Fault.Value is { } fault)
        {
            throw new ImageException(fault, ModuleInitializer.Exception);
        }
    }

    private static string? Start()
    {
        if (!ModuleInitializer.VipsInitialized)
        {
            return $"libvips did not load: {ModuleInitializer.Exception?.Message} The package NetVips.Native.linux-x64 brings it for Linux "
                + "on x64; on another platform add that platform's NetVips.Native package to Imaging.";
        }

        Log.SetLogHandler("VIPS", Chatter, (_, _, _) => { }); // what matters about a damaged file comes back as an error
        Cache.Max = 0; // no picture comes twice, and its operations would keep their pixels
        NetVips.NetVips.Concurrency = 1; // batches decode pictures side by side, which scales better
        NetVips.NetVips.BlockUntrusted = true;
        Operation.Block("VipsForeignLoad", true);
        foreach (string loader in (string[])["VipsForeignLoadPng", "VipsForeignLoadJpeg", "VipsForeignLoadWebp"])
        {
            Operation.Block(loader, false);
        }

        return null;
    }
}
