using System.Text;

namespace Recsys.Torch.Tests.Safetensors;

/// <summary>A file that breaks the format.</summary>
/// <param name="Name">What is wrong with it.</param>
/// <param name="File">Its bytes.</param>
/// <param name="Part">What the refusal says, among other things.</param>
public sealed record HeaderAttack(string Name, byte[] File, string Part)
{
    private HeaderAttack(string name, string header, string part, int data)
        : this(name, FileOf(header, new byte[data]), part)
    {
    }

    /// <summary>The corpus: every way of breaking the format that we know.</summary>
    public static IReadOnlyList<HeaderAttack> All { get; } =
    [
        new("no bytes", [], "too few"),
        new("seven bytes", [1, 2, 3, 0, 0, 0, 0], "too few"),
        new("length alone", [8, 0, 0, 0, 0, 0, 0, 0], "truncated"),
        new("length -1", [.. BitConverter.GetBytes(-1L), .. "{}"u8], "at most 100000000"),
        new("length over the cap", [.. BitConverter.GetBytes(100_000_001L), .. "{}"u8], "at most 100000000"),
        new("length -2^63", [.. BitConverter.GetBytes(long.MinValue), .. "{}"u8], "at most 100000000"),
        new("length over the file", [.. BitConverter.GetBytes(3L), .. "{}"u8], "truncated"),
        new("length within the header", [.. BitConverter.GetBytes(1L), .. "{}"u8], "not valid JSON"),
        new("length big-endian", [0, 0, 0, 0, 0, 0, 0, 2, .. "{}"u8], "at most 100000000"),
        new("invalid UTF-8", [.. BitConverter.GetBytes(6L), .. "{\""u8, 0xC3, 0x28, .. "\":"u8], "not valid JSON"),
        new("overlong UTF-8", [.. BitConverter.GetBytes(8L), .. "{\""u8, 0xC0, 0xAF, .. "\":{}"u8], "not valid JSON"),
        new("surrogate in UTF-8", [.. BitConverter.GetBytes(9L), .. "{\""u8, 0xED, 0xA0, 0x80, .. "\":{}"u8], "not valid JSON"),
        new("byte order mark", [.. BitConverter.GetBytes(5L), 0xEF, 0xBB, 0xBF, .. "{}"u8], "does not start with '{'"),
        new("UTF-16", [.. BitConverter.GetBytes(4L), (byte)'{', 0, (byte)'}', 0], "not valid JSON"),
        new("empty header", "", "does not start with '{'", 0),
        new("array", "[]", "does not start with '{'", 0),
        new("white space first", " {}", "does not start with '{'", 0),
        new("string", "\"a\"", "does not start with '{'", 0),
        new("only a brace", "{", "not valid JSON", 0),
        new("text after the object", "{}x", "not valid JSON", 0),
        new("two objects", "{}{}", "not valid JSON", 0),
        new("comma after the object", "{},", "not valid JSON", 0),
        new("NUL after the object", "{} \0", "not valid JSON", 0),
        new("comment", "{/**/}", "not valid JSON", 0),
        new("single quotes", "{'a':1}", "not valid JSON", 0),
        new("tensor is a number", "{\"a\":1}", "'a' has a Number", 0),
        new("tensor is null", "{\"a\":null}", "'a' has a Null", 0),
        new("tensor is a list", "{\"a\":[]}", "'a' has a StartArray", 0),
        new("tensor is empty", "{\"a\":{}}", "lacks one of", 0),
        new("no data_offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", "lacks one of", 4),
        new("no shape", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", "lacks one of", 4),
        new("no dtype", "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", "lacks one of", 4),
        new("one offset", Entry("F32", "[1]", "[0]"), "lacks one of", 4),
        new("three offsets", Entry("F32", "[1]", "[0,4,4]"), "more than 2", 4),
        new("dtype unknown", Entry("F31", "[1]", "[0,4]"), "unknown dtype 'F31'", 4),
        new("dtype in small letters", Entry("f32", "[1]", "[0,4]"), "unknown dtype 'f32'", 4),
        new("dtype is a number", "{\"a\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,4]}}", "a.dtype", 4),
        new("shape is a number", Entry("F32", "1", "[0,4]"), "a.shape", 4),
        new("size with a fraction", Entry("F32", "[1.0]", "[0,4]"), "has 1.0", 4),
        new("size with an exponent", Entry("F32", "[1e0]", "[0,4]"), "has 1e0", 4),
        new("size negative", Entry("F32", "[-1]", "[0,4]"), "has -1", 4),
        new("size is a string", Entry("F32", "[\"1\"]", "[0,4]"), "a.shape", 4),
        new("size over 63 bits", Entry("F32", "[9223372036854775808]", "[0,4]"), "whole number", 4),
        new("bytes over 63 bits", Entry("F32", "[4294967296,4294967296]", "[0,4]"), "63 bits", 4),
        new("strides over 63 bits", Entry("F32", "[0,9223372036854775807,9223372036854775807]", "[0,0]"), "63 bits", 0),
        new("size is a list", Entry("F32", "[1,[1]]", "[0,4]"), "a.shape", 4),
        new("65 dimensions", Entry("F32", "[" + string.Join(',', Enumerable.Repeat("1", 65)) + "]", "[0,4]"), "more than 64", 4),
        new("begin after end", Entry("F32", "[1]", "[4,0]"), "offsets are 4 to 0", 4),
        new("longer than its shape", Entry("F32", "[1]", "[0,8]"), "needs 4 bytes", 8),
        new("shorter than its shape", Entry("F32", "[2]", "[0,4]"), "needs 8 bytes", 4),
        new("offset negative", Entry("F32", "[1]", "[-4,0]"), "has -4", 4),
        new("gap before the first", Entry("F32", "[1]", "[4,8]"), "a gap", 8),
        new("data cut short", Entry("F32", "[1]", "[0,4]"), "cover 4 bytes, but 0 follow", 0),
        new("one byte behind the data", Entry("F32", "[1]", "[0,4]"), "cover 4 bytes, but 5 follow", 5),
        new("bytes of nobody", "{}", "cover 0 bytes, but 1 follow", 1),
        new("end at 2^63 - 1", Entry("F32", "[1]", "[9223372036854775803,9223372036854775807]"), "a gap", 4),
        new("overlap", "{" + Body("a", "U8", "[2]", "[0,2]") + "," + Body("b", "U8", "[2]", "[1,3]") + "}", "an overlap", 3),
        new("same bytes twice", "{" + Body("a", "U8", "[2]", "[0,2]") + "," + Body("b", "U8", "[2]", "[0,2]") + "}", "an overlap", 2),
        new("gap between", "{" + Body("a", "U8", "[1]", "[0,1]") + "," + Body("b", "U8", "[1]", "[2,3]") + "}", "a gap", 3),
        new("name twice", "{" + Body("a", "U8", "[1]", "[0,1]") + "," + Body("a", "U8", "[1]", "[1,2]") + "}", "comes twice", 2),
        new("name twice, once escaped", "{" + Body("a", "U8", "[1]", "[0,1]") + "," + Body("\\u0061", "U8", "[1]", "[1,2]") + "}", "comes twice", 2),
        new("dtype twice", "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", "'dtype' twice", 1),
        new("shape twice", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,1]}}", "'shape' twice", 1),
        new("unknown field", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"extra\":0}}", "unknown field 'extra'", 1),
        new("comma before a brace", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],}}", "not valid JSON", 1),
        new("metadata is a list", "{\"__metadata__\":[]}", "__metadata__", 0),
        new("metadata value is a number", "{\"__metadata__\":{\"a\":1}}", "__metadata__.a", 0),
        new("metadata key twice", "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", "metadata key 'a' comes twice", 0),
        new("metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}}", "comes twice", 0),
        new("lone surrogate", "{\"\\ud800\":{}}", "not valid JSON", 0),
        new("deep shape", Entry("F32", "[[[[[[1]]]]]]", "[0,4]"), "a.shape", 4),
        new("size 2^64 + 1", Entry("U8", "[18446744073709551617]", "[0,1]"), "whole number", 1),
        new("offset 2^64", Entry("U8", "[0]", "[18446744073709551616,18446744073709551616]"), "whole number", 0),
        new("offset of a hundred digits", Entry("U8", "[1]", "[0,1" + new string('0', 99) + "]"), "whole number", 1),
        new("offset with a fraction", Entry("U8", "[1]", "[0.0,1]"), "has 0.0", 1),
        new("offset with an exponent", Entry("U8", "[1]", "[0,1E0]"), "has 1E0", 1),
        new("offset minus zero", Entry("U8", "[1]", "[-0,1]"), "has -0", 1),
        new("offset is null", Entry("U8", "[1]", "[null,1]"), "a.data_offsets", 1),
        new("leading zero", Entry("U8", "[01]", "[0,1]"), "not valid JSON", 1),
        new("plus sign", Entry("U8", "[+1]", "[0,1]"), "not valid JSON", 1),
        new("hexadecimal", Entry("U8", "[0x1]", "[0,1]"), "not valid JSON", 1),
        new("not a number", Entry("U8", "[NaN]", "[0,1]"), "not valid JSON", 1),
        new("half a byte", Entry("F4", "[1]", "[0,1]"), "not whole bytes", 1),
        new("six bits taken for eight", Entry("F6_E2M3", "[4]", "[0,4]"), "needs 3 bytes", 4),
        new("dtype with NUL", Entry("U8\\u0000", "[1]", "[0,1]"), "unknown dtype", 1),
        new("field twice, once escaped", "{\"a\":{\"dtype\":\"U8\",\"dtyp\\u0065\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", "'dtype' twice", 1),
        new("metadata twice, once escaped", "{\"__metadata__\":{},\"__metadat\\u0061__\":{}}", "comes twice", 0),
        new("metadata key twice, once escaped", "{\"__metadata__\":{\"a\":\"\",\"\\u0061\":\"\"}}", "comes twice", 0),
        new("metadata is null", "{\"__metadata__\":null}", "__metadata__", 0),
        new("metadata value is an object", "{\"__metadata__\":{\"a\":{}}}", "__metadata__.a", 0),
        new("tensor as a list of its fields", "{\"a\":[\"U8\",[1],[0,1]]}", "'a' has a StartArray", 1),
        new("dtype as an object", "{\"a\":{\"dtype\":{\"U8\":null},\"shape\":[1],\"data_offsets\":[0,1]}}", "a.dtype", 1),
        new("a thousand brackets", "{\"a\":" + new string('[', 1000), "'a' has a StartArray", 0),
        new("a thousand braces in an unknown field", "{\"a\":{\"x\":" + string.Concat(Enumerable.Repeat("{\"x\":", 1000)), "unknown field", 0),
        new("NUL between tokens", "{\0}", "not valid JSON", 0),
        new("NUL in a name", "{\"a\0\":{}}", "not valid JSON", 0),
        new("line break in a name", "{\"a\n\":{}}", "not valid JSON", 0),
        new("low surrogate first", "{\"\\udc00\\ud800\":{}}", "not valid JSON", 0),
        new("no-break space between tokens", "{\u00a0}", "not valid JSON", 0),
        new("name without quotes", "{a:{}}", "not valid JSON", 0),
        new("second overlaps into the first from behind", "{" + Body("a", "U8", "[4]", "[0,4]") + "," + Body("b", "U8", "[1]", "[3,4]") + "}", "an overlap", 4),
        new("empty tensor in the middle of another", "{" + Body("a", "U8", "[4]", "[0,4]") + "," + Body("b", "U8", "[0]", "[2,2]") + "}", "an overlap", 4),
        new("empty tensor behind the end", "{" + Body("a", "U8", "[1]", "[0,1]") + "," + Body("b", "U8", "[0]", "[2,2]") + "}", "a gap", 1),
    ];

    internal static byte[] FileOf(string header, ReadOnlySpan<byte> data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        return [.. BitConverter.GetBytes((long)json.Length), .. json, .. data];
    }

    internal static string Entry(string dtype, string shape, string offsets) => "{" + Body("a", dtype, shape, offsets) + "}";

    internal static string Body(string name, string dtype, string shape, string offsets) =>
        $$"""
        "{{name}}":{"dtype":"{{dtype}}","shape":{{shape}},"data_offsets":{{offsets}}}
        """;
}
