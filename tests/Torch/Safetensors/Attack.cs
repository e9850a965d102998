using System.Text;

namespace Recsys.Torch.Tests.Safetensors;

/// <summary>A file that breaks the format.</summary>
/// <param name="Name">What is wrong with it.</param>
/// <param name="File">Its bytes.</param>
/// <param name="Part">What the refusal says, among other things.</param>
internal sealed record Attack(string Name, byte[] File, string Part)
{
    private Attack(string name, string header, string part, int data)
        : this(name, FileOf(header, new byte[data]), part)
    {
    }

    /// <summary>The ways of breaking the format that we know.</summary>
    public static IReadOnlyList<Attack> All { get; } =
    [
        new("no bytes", [], "too few"),
        new("seven bytes", [1, 2, 3, 0, 0, 0, 0], "too few"),
        new("length alone", [8, 0, 0, 0, 0, 0, 0, 0], "truncated"),
        new("length -1", [.. BitConverter.GetBytes(-1L), .. "{}"u8], "at most 100000000"),
        new("length over the cap", [.. BitConverter.GetBytes(100_000_001L), .. "{}"u8], "at most 100000000"),
        new("length over the file", [.. BitConverter.GetBytes(3L), .. "{}"u8], "truncated"),
        new("length within the header", [.. BitConverter.GetBytes(1L), .. "{}"u8], "not valid JSON"),
        new("length big-endian", [0, 0, 0, 0, 0, 0, 0, 2, .. "{}"u8], "at most 100000000"),
        new("invalid UTF-8", [.. BitConverter.GetBytes(6L), .. "{\""u8, 0xC3, 0x28, .. "\":"u8], "not valid JSON"),
        new("byte order mark", [.. BitConverter.GetBytes(5L), 0xEF, 0xBB, 0xBF, .. "{}"u8], "does not start with '{'"),
        new("empty header", "", "does not start with '{'", 0),
        new("an array", "[]", "does not start with '{'", 0),
        new("a pickle", "\u0080\u0002}q", "does not start with '{'", 0),
        new("only a brace", "{", "not valid JSON", 0),
        new("text after the object", "{}x", "not valid JSON", 0),
        new("NUL after the object", "{} \0", "not valid JSON", 0),
        new("a comment", "{/**/}", "not valid JSON", 0),
        new("a thousand brackets", "{\"a\":" + new string('[', 1000), "not valid JSON", 0),
        new("lone surrogate", "{\"\\ud800\":{}}", "not valid JSON", 0),
        new("tensor is a number", "{\"a\":1}", "'a' has a Number", 0),
        new("tensor is empty", "{\"a\":{}}", "lacks one of", 0),
        new("no data_offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", "lacks one of", 4),
        new("one offset", Entry("F32", "[1]", "[0]"), "lacks one of", 4),
        new("three offsets", Entry("F32", "[1]", "[0,4,4]"), "more than 2", 4),
        new("dtype unknown", Entry("F31", "[1]", "[0,4]"), "'F31', which has no element type here", 4),
        new("dtype in small letters", Entry("f32", "[1]", "[0,4]"), "'f32', which has no element type here", 4),
        new("dtype that libtorch lacks", Entry("U32", "[1]", "[0,4]"), "'U32', which has no element type here", 4),
        new("size with a fraction", Entry("F32", "[1.0]", "[0,4]"), "has 1.0", 4),
        new("size negative", Entry("F32", "[-1]", "[0,4]"), "has -1", 4),
        new("size is a string", Entry("F32", "[\"1\"]", "[0,4]"), "a.shape", 4),
        new("size over 63 bits", Entry("F32", "[9223372036854775808]", "[0,4]"), "whole number", 4),
        new("bytes over 63 bits", Entry("F32", "[4294967296,4294967296]", "[0,4]"), "63 bits", 4),
        new("strides over 63 bits", Entry("F32", "[0,9223372036854775807,9223372036854775807]", "[0,0]"), "63 bits", 0),
        new("a petabyte", Entry("F32", "[281474976710656]", "[0,1125899906842624]"), "cover 1125899906842624 bytes, but 4 follow", 4),
        new("65 dimensions", Entry("F32", $"[{string.Join(',', Enumerable.Repeat("1", 65))}]", "[0,4]"), "more than 64", 4),
        new("begin after end", Entry("F32", "[1]", "[4,0]"), "offsets are 4 to 0", 4),
        new("longer than its shape", Entry("F32", "[1]", "[0,8]"), "needs 4 bytes", 8),
        new("shorter than its shape", Entry("F32", "[2]", "[0,4]"), "needs 8 bytes", 4),
        new("half a byte", Entry("F4", "[1]", "[0,1]"), "'F4', which has no element type here", 1),
        new("gap before the first", Entry("F32", "[1]", "[4,8]"), "a gap", 8),
        new("data cut short", Entry("F32", "[1]", "[0,4]"), "cover 4 bytes, but 0 follow", 0),
        new("one byte behind the data", Entry("F32", "[1]", "[0,4]"), "cover 4 bytes, but 5 follow", 5),
        new("overlap", Two(Body("a", "U8", "[2]", "[0,2]"), Body("b", "U8", "[2]", "[1,3]")), "an overlap", 3),
        new("same bytes twice", Two(Body("a", "U8", "[2]", "[0,2]"), Body("b", "U8", "[2]", "[0,2]")), "an overlap", 2),
        new("gap between", Two(Body("a", "U8", "[1]", "[0,1]"), Body("b", "U8", "[1]", "[2,3]")), "a gap", 3),
        new("empty tensor within another", Two(Body("a", "U8", "[4]", "[0,4]"), Body("b", "U8", "[0]", "[2,2]")), "an overlap", 4),
        new("name twice", Two(Body("a", "U8", "[1]", "[0,1]"), Body("a", "U8", "[1]", "[1,2]")), "not valid JSON", 2),
        new("name twice, once escaped", Two(Body("a", "U8", "[1]", "[0,1]"), Body("\\u0061", "U8", "[1]", "[1,2]")), "not valid JSON", 2),
        new("field twice", Entry("U8\",\"dtype\":\"U8", "[1]", "[0,1]"), "not valid JSON", 1),
        new("unknown field", Entry("U8\",\"extra\":\"0", "[1]", "[0,1]"), "unknown field 'extra'", 1),
        new("metadata is a list", "{\"__metadata__\":[]}", "__metadata__", 0),
        new("metadata value is a number", "{\"__metadata__\":{\"a\":1}}", "__metadata__.a", 0),
        new("metadata key twice", "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", "not valid JSON", 0),
        new("metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}}", "not valid JSON", 0),
        new("BOOL with 2", FileOf(Two(Body("a", "U8", "[1]", "[0,1]"), Body("b", "BOOL", "[3]", "[1,4]")), [9, 1, 0, 2]), "is 2, neither"),
    ];

    public static byte[] FileOf(string header, ReadOnlySpan<byte> data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        return [.. BitConverter.GetBytes((long)json.Length), .. json, .. data];
    }

    public static string Two(string one, string other) => "{" + one + "," + other + "}";

    public static string Body(string name, string dtype, string shape, string offsets) =>
        $$"""
        "{{name}}":{"dtype":"{{dtype}}","shape":{{shape}},"data_offsets":{{offsets}}}
        """;

    private static string Entry(string dtype, string shape, string offsets) => "{" + Body("a", dtype, shape, offsets) + "}";
}
