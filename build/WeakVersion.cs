using System;
using System.IO;
using System.Linq;
using System.Text;
using Microsoft.Build.Framework;

namespace Recsys.Build;

/// <summary>
/// libLibTorchSharp.so 0.107 asks for the version GLIBCXX_3.4.32 of libstdc++, which Debian 12's ends short of. The one symbol of that
/// version is an initialiser that its compiler's &lt;iostream&gt; names and nothing calls. Marked weak in the copy beside the program,
/// the version may be absent, and the loader goes on. Where the system's libstdc++ has it, nothing is touched.
/// </summary>
public sealed class WeakVersion : Microsoft.Build.Utilities.Task
{
    private const string Wanted = "GLIBCXX_3.4.32";
    private const uint VersionNeeds = 0x6ffffffe; // SHT_GNU_verneed
    private const ushort Weak = 2; // VER_FLG_WEAK

    /// <summary>The copy in the output folder; it may be a hard link to the package's own file, which stays as it is.</summary>
    [Required]
    public string Library { get; set; } = "";

    public override bool Execute()
    {
        if (SystemHasIt())
        {
            Log.LogMessage(MessageImportance.Low, $"The system's libstdc++ has {Wanted}: {Library} stays as it is.");
            return true;
        }

        var bytes = File.ReadAllBytes(Library);
        int flags = FlagsOf(bytes);
        if (flags < 0)
        {
            Log.LogMessage(MessageImportance.Low, $"{Library} does not ask for {Wanted}.");
            return true;
        }

        if ((bytes[flags] & Weak) != 0)
        {
            return true;
        }

        bytes[flags] |= (byte)Weak;
        var written = File.GetLastWriteTimeUtc(Library);
        string beside = Library + ".weak";
        File.WriteAllBytes(beside, bytes);
        File.SetLastWriteTimeUtc(beside, written); // the next build's copy sees the same size and time, and leaves it
        File.Delete(Library); // the package's own file is not written through the link
        File.Move(beside, Library);
        Log.LogMessage(MessageImportance.High, $"{Path.GetFileName(Library)}: {Wanted} made optional: this libstdc++ ends before it.");
        return true;
    }

    private static bool SystemHasIt()
    {
        var found = new[] { "/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib" }
            .Select(folder => folder + "/libstdc++.so.6").FirstOrDefault(File.Exists);
        return found is null || Encoding.GetEncoding("ISO-8859-1").GetString(File.ReadAllBytes(found)).Contains(Wanted + "\0");
    }

    /// <summary>Where the wanted version's flags stand in an ELF file of 64 bits, little-endian; -1: it is not asked for.</summary>
    private static int FlagsOf(byte[] elf)
    {
        uint U32(long at) => BitConverter.ToUInt32(elf, (int)at);
        ushort U16(long at) => BitConverter.ToUInt16(elf, (int)at);
        long U64(long at) => BitConverter.ToInt64(elf, (int)at);
        long sections = U64(0x28);
        int size = U16(0x3A), count = U16(0x3C);
        for (int i = 0; i < count; i++)
        {
            long header = sections + (i * size);
            if (U32(header + 4) != VersionNeeds)
            {
                continue;
            }

            long need = U64(header + 0x18), names = U64(sections + (U32(header + 0x28) * size) + 0x18);
            for (uint left = U32(header + 0x2C); left > 0; left--, need += U32(need + 12))
            {
                long aux = need + U32(need + 8);
                for (int of = U16(need + 2); of > 0; of--, aux += U32(aux + 12))
                {
                    int name = (int)(names + U32(aux + 8));
                    if (Encoding.ASCII.GetString(elf, name, Array.IndexOf(elf, (byte)0, name) - name) == Wanted)
                    {
                        return (int)(aux + 4);
                    }
                }
            }
        }

        return -1;
    }
}
