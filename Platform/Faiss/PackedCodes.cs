namespace Recsys.Faiss;

/// <summary>Codes of a few bits each, one after the other from the lowest bit of the first byte, as FAISS packs them.</summary>
internal static class PackedCodes
{
    /// <returns>[n, parts]</returns>
    public static int[] Unpack(ReadOnlySpan<byte> packed, int codeBytes, int parts, int bits)
    {
        int n = packed.Length / codeBytes;
        var codes = new int[checked(n * parts)];
        for (int row = 0; row < n; row++)
        {
            var from = packed.Slice(row * codeBytes, codeBytes);
            for (int part = 0; part < parts; part++)
            {
                int code = 0;
                for (int bit = 0; bit < bits; bit++)
                {
                    int at = (part * bits) + bit;
                    code |= (from[at >> 3] >> (at & 7) & 1) << bit;
                }

                codes[(row * parts) + part] = code;
            }
        }

        return codes;
    }

    /// <returns>[n, codeBytes]</returns>
    /// <exception cref="FaissException">A code that does not fit its bits.</exception>
    public static byte[] Pack(ReadOnlySpan<int> codes, int codeBytes, int parts, int bits)
    {
        var packed = new byte[checked(codes.Length / parts * codeBytes)];
        for (int i = 0; i < codes.Length; i++)
        {
            if (codes[i] < 0 || codes[i] >> bits != 0)
            {
                throw new FaissException($"codes: code {codes[i]} of vector {i / parts}, part {i % parts} must be between 0 and {(1 << bits) - 1}");
            }

            for (int bit = 0; bit < bits; bit++)
            {
                int at = ((i % parts) * bits) + bit;
                packed[(i / parts * codeBytes) + (at >> 3)] |= (byte)((codes[i] >> bit & 1) << (at & 7));
            }
        }

        return packed;
    }
}
