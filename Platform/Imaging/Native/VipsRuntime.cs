using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Recsys.Imaging.Native;

/// <summary>Starts libvips once for the process: no operation cache, one thread an operation, and only the three loaders we allow.</summary>
internal static unsafe class VipsRuntime
{
    private const int WarningsAndMessages = (1 << 4) | (1 << 5) | (1 << 6) | (1 << 7);

    private static readonly Lazy<Exception?> Started = new(Start);

    /// <exception cref="ImageException">libvips is missing or older than 8.13.</exception>
    public static void Ensure()
    {
        if (Started.Value is { } fault)
        {
            throw new ImageException(fault.Message, null, fault);
        }
    }

    /// <summary>Takes libvips' error text (one buffer for the whole process) and empties it.</summary>
    public static string TakeError()
    {
        nint text = Vips.ErrorBufferCopy();
        string message = Marshal.PtrToStringUTF8(text)?.Trim().ReplaceLineEndings("; ") ?? "";
        Vips.Free(text);
        return message.Length switch
        {
            0 => "damaged or cut short (libvips gave no reason)",
            > 400 => message[..400] + "…",
            _ => message,
        };
    }

    private static Exception? Start()
    {
        try
        {
            if (Vips.Init("recsys") != 0)
            {
                return new InvalidOperationException($"libvips did not start: {TakeError()}");
            }

            // A damaged file must not write on standard error; what matters comes back as an error text.
            Vips.LogSetHandler("VIPS", WarningsAndMessages, &Ignore, 0);
            // libvips reads numbers with it, and its first call makes a locale. Two threads that were first at once had good numbers
            // refused without a reason (in at least 11 of 30 processes): so a first call before there are threads.
            _ = Vips.ParseDouble("0", 0);
            Vips.CacheSetMax(0);
            Vips.ConcurrencySet(1);

            // Vector code is compiled at run time by liborc, whose allocator of code memory is not safe between threads: pictures
            // resized in parallel crashed the process in it (0.4.33).
            Vips.VectorSetEnabled(0);
            Vips.BlockUntrustedSet(1);
            Vips.OperationBlockSet("VipsForeignLoad", 1);
            foreach (string loader in (ReadOnlySpan<string>)["VipsForeignLoadPng", "VipsForeignLoadJpeg", "VipsForeignLoadWebp"])
            {
                Vips.OperationBlockSet(loader, 0);
            }

            return null;
        }
        catch (DllNotFoundException missing)
        {
            return new InvalidOperationException("libvips.so.42 was not found. Install the Debian package libvips42 (apt-get install libvips42).", missing);
        }
        catch (EntryPointNotFoundException old)
        {
            return new InvalidOperationException($"libvips {Vips.Version(0)}.{Vips.Version(1)} is too old; 8.13 is the oldest that can refuse untrusted loaders. {old.Message}", old);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [])]
    private static void Ignore(byte* domain, int level, byte* message, nint data)
    {
    }
}
