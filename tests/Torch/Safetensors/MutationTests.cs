using System.Text;
using Recsys.Torch.Safetensors;
using static Recsys.Torch.Tests.Numbers;
using static Recsys.Torch.Tests.Safetensors.Attack;

namespace Recsys.Torch.Tests.Safetensors;

/// <summary>Files a few changes away from good ones: tensors that account for every byte of the data, or the typed refusal.</summary>
public sealed class MutationTests : IDisposable
{
    private static readonly string[] Pieces =
    [
        "0", "1", "2", "4", "8", "9223372036854775807", "18446744073709551616", "-1", "1.0", "1e1", "null", "true", "[]", "{}", "\"\"",
        "[0,0]", "BOOL", "U8", "I16", "I64", "U32", "F16", "F64", "F8_E4M3", "F4", "F7", "\"a\"", "\"b\"", "\"__metadata__\"",
        "\"dtype\"", "\"shape\"", "\"data_offsets\"", "\\u0061", "\\ud800", ",", ":", " ", "\n", "{", "}", "[", "]", "\"x\":1,", "é", "\0",
    ];

    // Of several tensors and types, of none, of empty ones and scalars, and of what JSON may write in two ways.
    private static readonly (string Header, byte[] Data)[] Good =
    [
        ("{\"__metadata__\":{\"format\":\"pt\",\"\":\"\\u00e9\\n\"}}  ", []),
        ($"{{{Body("a", "F32", "[2]", "[0,8]")},{Body("b", "I64", "[2]", "[8,24]")},{Body("d", "BOOL", "[3]", "[24,27]")}}}", new byte[27]),
        ($"{{{Body("b", "U8", "[2]", "[2,4]")} , {Body("a", "I16", "[1]", "[0,2]")}}}", new byte[4]),
        ($"{{{Body("e", "F64", "[0,5]", "[0,0]")},{Body("s", "F64", "[]", "[0,8]")},{Body("n", "BF16", "[5,0]", "[8,8]")}}}", new byte[8]),
        ("{ \"\\u0061\\\"\" : { \"data_offsets\" : [ 0 , 2 ] , \"shape\" : [ 1 , 1 ] , \"dtype\" : \"F16\" }\t\r\n}", new byte[2]),
    ];

    private readonly TemporaryFolder _folder = new();
    private readonly Random _random = new(20_000);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Five_thousand_mutated_files_are_read_whole_or_refused()
    {
        string path = _folder["mutated.safetensors"], again = _folder["again.safetensors"];
        long before = LiveTensors();
        int read = 0;
        for (int i = 0; i < 5000; i++)
        {
            byte[] file = Next();
            File.WriteAllBytes(path, file);
            using var scope = NewDisposeScope();
            try
            {
                var tensors = SafetensorsFile.Load(path, out var metadata);
                read++;
                Assert.Equal(file.Length - 8 - BitConverter.ToInt64(file), tensors.Values.Sum(tensor => tensor.Bytes().Length));
                if (read % 20 == 0) // every save waits for the disk
                {
                    SafetensorsFile.Save(again, tensors, metadata);
                    Assert.Equal(Show(tensors, metadata), Show(SafetensorsFile.Load(again, out var second), second));
                }
            }
            catch (SafetensorsException refusal)
            {
                Assert.StartsWith(path, refusal.Message, StringComparison.Ordinal);
            }
        }

        Assert.InRange(read, 100, 2500); // both happen
        Assert.Equal(before, LiveTensors());
    }

    private static IEnumerable<string> Show(Dictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata) =>
        tensors.Select(pair => $"{pair.Key} {StateDict.Describe(pair.Value)} {Convert.ToHexString(pair.Value.Bytes())}")
            .Concat(metadata.Select(pair => $"{pair.Key} = {pair.Value}")).Order(StringComparer.Ordinal);

    // Bytes changed anywhere, or the header's text changed and its length put right, without which hardly anything passes the first check.
    private byte[] Next()
    {
        var (header, data) = Good[_random.Next(Good.Length)];
        if (_random.Next(3) == 0)
        {
            byte[] bytes = FileOf(header, data);
            bytes[_random.Next(bytes.Length)] = (byte)_random.Next(256);
            return _random.Next(4) == 0 ? bytes[.._random.Next(bytes.Length)] : bytes;
        }

        var text = new StringBuilder(header);
        for (int changes = _random.Next(1, 3); changes > 0; changes--)
        {
            int at = _random.Next(text.Length), length = _random.Next(2) * Math.Min(_random.Next(1, 6), text.Length - at);
            text.Remove(at, length).Insert(at, _random.Next(3) == 0 ? "" : Pieces[_random.Next(Pieces.Length)]);
            text.Append(text.Length == 0 ? " " : "");
        }

        return FileOf(text.ToString(), _random.Next(8) == 0 ? new byte[_random.Next(50)] : data);
    }
}
