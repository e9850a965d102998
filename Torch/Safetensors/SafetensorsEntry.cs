namespace Recsys.Torch.Safetensors;

/// <summary>One tensor of a file.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Format">Element type as the format calls it, for example <c>BF16</c>.</param>
/// <param name="Dtype">The same here; null where the engine has none (U16, U32, U64, C64, F8_…, F6_…, F4): such a tensor can be
/// listed, not read.</param>
/// <param name="Shape">Sizes; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">One past the last byte.</param>
public sealed record SafetensorsEntry(string Name, string Format, ScalarType? Dtype, long[] Shape, long Begin, long End)
{
    // The official implementation's order, by alignment; it decides the order of the data.
    private static readonly (string Format, int Bits, ScalarType? Type)[] Types =
    [
        ("BOOL", 8, ScalarType.Bool), ("F4", 4, null), ("F6_E2M3", 6, null), ("F6_E3M2", 6, null),
        ("U8", 8, ScalarType.Byte), ("I8", 8, ScalarType.Int8),
        ("F8_E5M2", 8, null), ("F8_E4M3", 8, null), ("F8_E8M0", 8, null), ("F8_E4M3FNUZ", 8, null), ("F8_E5M2FNUZ", 8, null),
        ("I16", 16, ScalarType.Int16), ("U16", 16, null), ("F16", 16, ScalarType.Float16), ("BF16", 16, ScalarType.BFloat16),
        ("I32", 32, ScalarType.Int32), ("U32", 32, null), ("F32", 32, ScalarType.Float32), ("C64", 64, null),
        ("F64", 64, ScalarType.Float64), ("I64", 64, ScalarType.Int64), ("U64", 64, null),
    ];

    /// <summary>Bytes.</summary>
    public long Length => End - Begin;

    /// <summary>Bits of one element and its type here; null for a name that the format does not have.</summary>
    internal static (int Bits, ScalarType? Type)? Find(string format) =>
        Array.Find(Types, t => t.Format == format) is { Format: not null } found ? (found.Bits, found.Type) : null;

    internal static string FormatOf(ScalarType type) => Array.Find(Types, t => t.Type == type).Format
        ?? throw new SafetensorsException($"element type {type} has no place in a safetensors file");

    internal static int RankOf(ScalarType type) => Array.FindIndex(Types, t => t.Type == type);
}
