namespace Recsys.Quantizer.Models;

internal static class CodeArrays
{
    /// <summary>Codes as the index type of tensors.</summary>
    public static long[] Widen(ReadOnlySpan<ushort> codes)
    {
        var wide = new long[codes.Length];
        for (int i = 0; i < wide.Length; i++)
        {
            wide[i] = codes[i];
        }

        return wide;
    }
}
