using System.Runtime.InteropServices;
using System.Text;

namespace Recsys.Torch.Tests.Robustness;

/// <summary>The names that a 64-bit little-endian ELF library exports: what its dynamic symbol table defines.</summary>
internal static class ElfExports
{
    private const int DynamicSymbols = 11, Global = 1;

    internal static IEnumerable<string> Of(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        long table = Read<long>(file, 0x28);
        int entry = Read<short>(file, 0x3A), count = Read<short>(file, 0x3C);
        for (int section = 0; section < count; section++)
        {
            long at = table + section * entry;
            if (Read<int>(file, at + 4) != DynamicSymbols)
            {
                continue;
            }

            long names = Read<long>(file, table + Read<int>(file, at + 0x28) * entry + 0x18);
            long begin = Read<long>(file, at + 0x18), size = Read<long>(file, at + 0x20);
            for (long symbol = begin; symbol < begin + size; symbol += 24)
            {
                bool defined = Read<short>(file, symbol + 6) != 0;
                if (defined && file[symbol + 4] >> 4 == Global)
                {
                    int start = (int)(names + Read<int>(file, symbol));
                    yield return Encoding.UTF8.GetString(file, start, Array.IndexOf<byte>(file, 0, start) - start);
                }
            }
        }
    }

    private static T Read<T>(byte[] file, long at)
        where T : struct => MemoryMarshal.Read<T>(file.AsSpan((int)at));
}
