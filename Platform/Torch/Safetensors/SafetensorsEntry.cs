using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>One tensor of a file.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Dtype">Element type.</param>
/// <param name="Shape">Sizes; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">One past the last byte.</param>
public sealed record SafetensorsEntry(string Name, ScalarType Dtype, long[] Shape, long Begin, long End)
{
    // The official implementation's order, by alignment; it decides the order of the data.
    private static readonly (ScalarType Type, string Code)[] Types =
    [
        (ScalarType.Bool, "BOOL"), (ScalarType.Byte, "U8"), (ScalarType.Int8, "I8"), (ScalarType.Int16, "I16"), (ScalarType.Float16, "F16"),
        (ScalarType.BFloat16, "BF16"), (ScalarType.Int32, "I32"), (ScalarType.Float32, "F32"), (ScalarType.Float64, "F64"), (ScalarType.Int64, "I64"),
    ];

    /// <summary>Bytes.</summary>
    public long Length => End - Begin;

    internal static ScalarType? TypeOf(string code) => Array.Find(Types, t => t.Code == code) is { Code: not null } found ? found.Type : null;

    internal static string CodeOf(ScalarType type) => Array.Find(Types, t => t.Type == type).Code
        ?? throw new SafetensorsException($"element type {type} has no place in a safetensors file");

    internal static int RankOf(ScalarType type) => Array.FindIndex(Types, t => t.Type == type);
}
