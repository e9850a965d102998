using System.Text;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests.Safetensors;

/// <summary>Files that break the format: each is refused with a typed error that says where, and no tensor is left behind.</summary>
public class SafetensorsMalformedTests
{
    public static TheoryData<string, string, int> Headers => new()
    {
        // header, part of the message, data bytes
        { "", "does not start with '{'", 0 },
        { "[]", "does not start with '{'", 0 },
        { " {}", "does not start with '{'", 0 },
        { "\"a\"", "does not start with '{'", 0 },
        { "{", "not valid JSON", 0 },
        { "{}x", "not valid JSON", 0 },
        { "{}{}", "not valid JSON", 0 },
        { "{},", "not valid JSON", 0 },
        { "{} \0", "not valid JSON", 0 },
        { "{/**/}", "not valid JSON", 0 },
        { "{'a':1}", "not valid JSON", 0 },
        { "{\"a\":1}", "'a' has a Number", 0 },
        { "{\"a\":null}", "'a' has a Null", 0 },
        { "{\"a\":[]}", "'a' has a StartArray", 0 },
        { "{\"a\":{}}", "lacks one of", 0 },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", "lacks one of", 4 },
        { "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", "lacks one of", 4 },
        { "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", "lacks one of", 4 },
        { Entry("F32", "[1]", "[0]"), "lacks one of", 4 },
        { Entry("F32", "[1]", "[0,4,4]"), "more than 2", 4 },
        { Entry("F31", "[1]", "[0,4]"), "unknown dtype 'F31'", 4 },
        { Entry("f32", "[1]", "[0,4]"), "unknown dtype 'f32'", 4 },
        { Entry("F8_E4M3", "[4]", "[0,4]"), "unknown dtype", 4 },
        { "{\"a\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,4]}}", "a.dtype", 4 },
        { Entry("F32", "1", "[0,4]"), "a.shape", 4 },
        { Entry("F32", "[1.0]", "[0,4]"), "has 1.0", 4 },
        { Entry("F32", "[1e0]", "[0,4]"), "has 1e0", 4 },
        { Entry("F32", "[-1]", "[0,4]"), "has -1", 4 },
        { Entry("F32", "[\"1\"]", "[0,4]"), "a.shape", 4 },
        { Entry("F32", "[9223372036854775808]", "[0,4]"), "whole number", 4 },
        { Entry("F32", "[4294967296,4294967296]", "[0,4]"), "63 bits", 4 },
        { Entry("F32", "[0,9223372036854775807,9223372036854775807]", "[0,0]"), "63 bits", 0 },
        { Entry("F32", "[1,[1]]", "[0,4]"), "a.shape", 4 },
        { Entry("F32", "[" + string.Join(',', Enumerable.Repeat("1", 65)) + "]", "[0,4]"), "more than 64", 4 },
        { Entry("F32", "[1]", "[4,0]"), "offsets are 4 to 0", 4 },
        { Entry("F32", "[1]", "[0,8]"), "needs 4 bytes", 8 },
        { Entry("F32", "[2]", "[0,4]"), "needs 8 bytes", 4 },
        { Entry("F32", "[1]", "[-4,0]"), "has -4", 4 },
        { Entry("F32", "[1]", "[4,8]"), "a gap", 8 },
        { Entry("F32", "[1]", "[0,4]"), "cover 4 bytes, but 0 follow", 0 },
        { Entry("F32", "[1]", "[0,4]"), "cover 4 bytes, but 5 follow", 5 },
        { "{}", "cover 0 bytes, but 1 follow", 1 },
        { Entry("F32", "[1]", "[9223372036854775803,9223372036854775807]"), "a gap", 4 },
        { "{" + Body("a", "U8", "[2]", "[0,2]") + "," + Body("b", "U8", "[2]", "[1,3]") + "}", "an overlap", 3 },
        { "{" + Body("a", "U8", "[2]", "[0,2]") + "," + Body("b", "U8", "[2]", "[0,2]") + "}", "an overlap", 2 },
        { "{" + Body("a", "U8", "[1]", "[0,1]") + "," + Body("b", "U8", "[1]", "[2,3]") + "}", "a gap", 3 },
        { "{" + Body("a", "U8", "[1]", "[0,1]") + "," + Body("a", "U8", "[1]", "[1,2]") + "}", "comes twice", 2 },
        { "{" + Body("a", "U8", "[1]", "[0,1]") + "," + Body("\\u0061", "U8", "[1]", "[1,2]") + "}", "comes twice", 2 },
        { "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", "'dtype' twice", 1 },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,1]}}", "'shape' twice", 1 },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"extra\":0}}", "unknown field 'extra'", 1 },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],}}", "not valid JSON", 1 },
        { "{\"__metadata__\":[]}", "__metadata__", 0 },
        { "{\"__metadata__\":{\"a\":1}}", "__metadata__.a", 0 },
        { "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", "metadata key 'a' comes twice", 0 },
        { "{\"__metadata__\":{},\"__metadata__\":{}}", "comes twice", 0 },
        { "{\"\\ud800\":{}}", "not valid JSON", 0 },
        { Entry("F32", "[[[[[[1]]]]]]", "[0,4]"), "a.shape", 4 },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public void A_malformed_header_is_refused(string header, string part, int data) => Refused(File(header, new byte[data]), part);

    [Fact]
    public void Broken_lengths_and_encodings_are_refused()
    {
        Refused([], "too few");
        Refused([1, 2, 3], "too few");
        Refused([8, 0, 0, 0, 0, 0, 0, 0], "truncated");
        Refused([.. BitConverter.GetBytes(-1L), .. "{}"u8], "at most 100000000");
        Refused([.. BitConverter.GetBytes(100_000_001L), .. "{}"u8], "at most 100000000");
        Refused([.. BitConverter.GetBytes(long.MinValue), .. "{}"u8], "at most 100000000");
        Refused([.. BitConverter.GetBytes(3L), .. "{}"u8], "truncated");
        Refused([.. BitConverter.GetBytes(1L), .. "{}"u8], "not valid JSON");
        Refused([.. BitConverter.GetBytes(6L), .. "{\""u8, 0xC3, 0x28, .. "\":"u8], "not valid JSON");
        Refused([.. BitConverter.GetBytes(5L), 0xEF, 0xBB, 0xBF, .. "{}"u8], "does not start with '{'");
    }

    [Fact]
    public void Mutated_files_are_read_or_refused_but_never_anything_else()
    {
        byte[][] seeds;
        using (NewDisposeScope())
        {
            seeds =
            [
                SafetensorsFile.ToBytes(new Dictionary<string, Tensor> { ["a"] = ones(2, 3), ["b.c"] = ones(2).to(ScalarType.Int64), ["d"] = ones(3).to(ScalarType.Bool) }),
                SafetensorsFile.ToBytes(new Dictionary<string, Tensor> { ["w"] = zeros(4).to(ScalarType.BFloat16) }, new Dictionary<string, string> { ["format"] = "pt" }),
                SafetensorsFile.ToBytes(new Dictionary<string, Tensor> { ["empty"] = zeros(0, 5), ["scalar"] = tensor(1.0) }),
            ];
        }

        byte[] alphabet = [.. "{}[]\",:0123456789-.eE \\u_FIBOL\0"u8, 0xFF, 0x80];
        var random = new Random(20_000);
        long baseline = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        int read = 0;
        for (int i = 0; i < 20_000; i++)
        {
            List<byte> bytes = [.. seeds[i % seeds.Length]];
            for (int changes = random.Next(1, 4); changes > 0; changes--)
            {
                int at = random.Next(random.Next(4) == 0 ? Math.Min(8, bytes.Count) : bytes.Count);
                byte value = random.Next(3) == 0 ? (byte)random.Next(256) : alphabet[random.Next(alphabet.Length)];
                switch (random.Next(6))
                {
                    case 0: bytes.RemoveAt(at); break;
                    case 1: bytes.Insert(at, value); break;
                    case 2: bytes.RemoveRange(at, random.Next(bytes.Count - at)); break;
                    case 3: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(40), bytes.Count - at))); break;
                    default: bytes[at] = value; break;
                }

                if (bytes.Count == 0)
                {
                    bytes.Add(value);
                }
            }

            try
            {
                using var scope = NewDisposeScope();
                byte[] file = [.. bytes];
                Dictionary<string, Tensor> tensors = SafetensorsFile.Load(file);
                Assert.Equal(file.Length - 8 - BitConverter.ToInt64(file), tensors.Values.Sum(t => t.numel() * t.element_size()));
                read++;
            }
            catch (SafetensorsException)
            {
            }
        }

        Assert.InRange(read, 100, 15_000); // changed numbers in the data are no fault of the format
        Assert.Equal(baseline, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static void Refused(byte[] file, string part)
    {
        long baseline = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Assert.Contains(part, Assert.Throws<SafetensorsException>(() => SafetensorsFile.Load(file)).Message);
        Assert.Equal(baseline, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static byte[] File(string header, byte[] data)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        return [.. BitConverter.GetBytes((long)json.Length), .. json, .. data];
    }

    private static string Entry(string dtype, string shape, string offsets) => "{" + Body("a", dtype, shape, offsets) + "}";

    private static string Body(string name, string dtype, string shape, string offsets) =>
        $$"""
        "{{name}}":{"dtype":"{{dtype}}","shape":{{shape}},"data_offsets":{{offsets}}}
        """;
}
