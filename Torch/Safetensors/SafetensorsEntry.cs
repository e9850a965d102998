namespace Recsys.Torch.Safetensors;

/// <summary>One tensor of a file.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Type">Of its elements.</param>
/// <param name="Shape">Sizes; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">One past the last byte.</param>
internal sealed record SafetensorsEntry(string Name, ScalarType Type, long[] Shape, long Begin, long End)
{
    // Those that libtorch has too (not U16, U32, U64, C64, F8_…, F6_… and F4), in the official implementation's order, by alignment; it
    // decides the order of the data.
    private static readonly (string Format, int Bytes, ScalarType Type)[] Types =
    [
        ("BOOL", 1, ScalarType.Bool), ("U8", 1, ScalarType.Byte), ("I8", 1, ScalarType.Int8), ("I16", 2, ScalarType.Int16),
        ("F16", 2, ScalarType.Float16), ("BF16", 2, ScalarType.BFloat16), ("I32", 4, ScalarType.Int32), ("F32", 4, ScalarType.Float32),
        ("F64", 8, ScalarType.Float64), ("I64", 8, ScalarType.Int64),
    ];

    /// <summary>Bytes.</summary>
    public long Length => End - Begin;

    /// <summary>Bytes of one element.</summary>
    public int Size => Types[RankOf(Type)].Bytes;

    /// <summary>The element type as the format calls it, for example <c>BF16</c>.</summary>
    public string Format => Types[RankOf(Type)].Format;

    /// <summary>Bytes of one element and its type.</summary>
    public static (int Bytes, ScalarType Type) Find(string name, string format) =>
        Array.Find(Types, t => t.Format == format) is { Format: not null } found
            ? (found.Bytes, found.Type)
            : throw new SafetensorsException(
                $"tensor '{name}' is '{format}', which has no element type here; there are "
                + string.Join(", ", Types.Select(t => t.Format)));

    /// <exception cref="SafetensorsException">The format has no place for the type.</exception>
    public static int RankOf(ScalarType type) => Array.FindIndex(Types, t => t.Type == type) is >= 0 and var rank
        ? rank
        : throw new SafetensorsException($"element type {type} has no place in a safetensors file");
}
