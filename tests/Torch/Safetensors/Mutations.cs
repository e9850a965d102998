using System.Text;
using static Recsys.Torch.Tests.Safetensors.HeaderAttack;

namespace Recsys.Torch.Tests.Safetensors;

/// <summary>
/// Files a few changes away from good ones, the same for a seed: bytes changed anywhere, or the header's text changed and its length put
/// right, without which hardly anything gets past the first check.
/// </summary>
internal sealed class Mutations(int seed)
{
    private static readonly byte[] Alphabet = [.. "{}[]\",:0123456789-.eE \\u_FIBOL\0"u8, 0xFF, 0x80];

    private static readonly string[] Pieces =
    [
        "0", "1", "2", "4", "8", "16", "9223372036854775807", "9223372036854775808", "18446744073709551616", "-1", "-0", "1.0", "1e1", "null", "true", "[]", "{}", "\"\"", "[0,0]",
        "BOOL", "U8", "I8", "I16", "I32", "I64", "U16", "U32", "U64", "F16", "BF16", "F32", "F64", "C64", "F8_E4M3", "F8_E5M2", "F4", "F6_E2M3", "F6_E3M2", "F7", "\"a\"", "\"b.c\"",
        "\"__metadata__\"", "\"dtype\"", "\"shape\"", "\"data_offsets\"", "\\u0061", "\\ud800", "\\udc00", ",", ":", " ", "\n", "{", "}", "[", "]", "\"x\":1,", "/", "\\/", "é", "\u2028",
    ];

    // Good files of all dtypes, of none, of several tensors in each order, and of what JSON may write in two ways.
    private static readonly byte[][] Seeds =
    [
        FileOf("{}", []),
        FileOf("{\"__metadata__\":{\"format\":\"pt\",\"\":\"\\u00e9\\n\"}}  ", []),
        FileOf("{" + Body("a", "F32", "[2,3]", "[0,24]") + "," + Body("b.c", "I64", "[2]", "[24,40]") + "," + Body("d", "BOOL", "[3]", "[40,43]") + "}", new byte[43]),
        FileOf("{" + Body("b", "U8", "[2]", "[2,4]") + " , " + Body("a", "I16", "[1]", "[0,2]") + "}", new byte[4]),
        FileOf("{" + Body("e", "F64", "[0,5]", "[0,0]") + "," + Body("s", "F64", "[]", "[0,8]") + "," + Body("e2", "BF16", "[5,0]", "[8,8]") + "}", new byte[8]),
        FileOf("{" + Body("x", "F4", "[2,3]", "[0,3]") + "," + Body("y", "F8_E4M3", "[1]", "[3,4]") + "," + Body("z", "F6_E2M3", "[4]", "[4,7]") + "," + Body("u", "U32", "[1]", "[7,11]") + "}", new byte[11]),
        FileOf("{ \"\\u0061\\\"\" : { \"data_offsets\" : [ 0 , 2 ] , \"shape\" : [ 1 , 1 ] , \"dtype\" : \"F16\" }\t\r\n}", new byte[2]),
    ];

    private readonly Random _random = new(seed);

    internal byte[] Next()
    {
        byte[] file = Seeds[_random.Next(Seeds.Length)];
        return _random.Next(3) == 0 ? Bytes([.. file], _random.Next(1, 4)) : Text(file);
    }

    private byte[] Bytes(List<byte> bytes, int changes)
    {
        for (; changes > 0; changes--)
        {
            int at = _random.Next(_random.Next(4) == 0 ? Math.Min(8, bytes.Count) : bytes.Count);
            byte value = _random.Next(3) == 0 ? (byte)_random.Next(256) : Alphabet[_random.Next(Alphabet.Length)];
            switch (_random.Next(6))
            {
                case 0: bytes.RemoveAt(at); break;
                case 1: bytes.Insert(at, value); break;
                case 2: bytes.RemoveRange(at, _random.Next(bytes.Count - at)); break;
                case 3: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(_random.Next(40), bytes.Count - at))); break;
                default: bytes[at] = value; break;
            }

            if (bytes.Count == 0)
            {
                bytes.Add(value);
            }
        }

        return [.. bytes];
    }

    // Tokens exchanged, left out, doubled: names, numbers and brackets as a whole.
    private byte[] Text(byte[] file)
    {
        int length = (int)BitConverter.ToInt64(file);
        List<string> tokens = Tokens(Encoding.UTF8.GetString(file, 8, length));
        for (int changes = _random.Next(1, 3); changes > 0 && tokens.Count > 0; changes--)
        {
            int at = _random.Next(tokens.Count);
            switch (_random.Next(6))
            {
                case 0: tokens.RemoveAt(at); break;
                case 1: tokens.Insert(at, Pieces[_random.Next(Pieces.Length)]); break;
                case 2: tokens.InsertRange(at, tokens.GetRange(at, Math.Min(_random.Next(25), tokens.Count - at))); break;
                case 3: tokens[at] = tokens[_random.Next(tokens.Count)]; break;
                default: tokens[at] = Pieces[_random.Next(Pieces.Length)]; break;
            }
        }

        byte[] data = file[(8 + length)..];
        return FileOf(string.Concat(tokens), _random.Next(8) == 0 ? new byte[_random.Next(50)] : data);
    }

    private static List<string> Tokens(string text)
    {
        List<string> tokens = [];
        for (int at = 0; at < text.Length;)
        {
            int end = at + 1;
            while (char.IsLetterOrDigit(text[at]) && end < text.Length && (char.IsLetterOrDigit(text[end]) || text[end] == '_'))
            {
                end++;
            }

            tokens.Add(text[at..end]);
            at = end;
        }

        return tokens;
    }
}
