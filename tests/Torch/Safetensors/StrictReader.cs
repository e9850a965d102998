using System.Numerics;
using System.Text;

namespace Recsys.Torch.Tests.Safetensors;

/// <summary>A tensor of a file as the oracle reads it.</summary>
internal sealed record StrictTensor(string Name, string Format, long[] Shape, long Begin, long End);

/// <summary>
/// The oracle: the format's rules once more, in the plainest way, over a JSON reader of its own (RFC 8259) and numbers without limits.
/// </summary>
internal sealed class StrictReader
{
    private static readonly Dictionary<string, int> Bits = new()
    {
        ["BOOL"] = 8, ["U8"] = 8, ["I8"] = 8, ["I16"] = 16, ["U16"] = 16, ["F16"] = 16, ["BF16"] = 16, ["I32"] = 32, ["U32"] = 32, ["F32"] = 32, ["C64"] = 64,
        ["F64"] = 64, ["I64"] = 64, ["U64"] = 64, ["F8_E5M2"] = 8, ["F8_E4M3"] = 8, ["F8_E8M0"] = 8, ["F8_E4M3FNUZ"] = 8, ["F8_E5M2FNUZ"] = 8, ["F4"] = 4,
        ["F6_E2M3"] = 6, ["F6_E3M2"] = 6,
    };

    private readonly string _text;
    private int _at;

    private StrictReader(string text) => _text = text;

    /// <summary>The tensors by the order of their data and where the data begin, or null where the file breaks a rule.</summary>
    internal static (List<StrictTensor> Tensors, int Data)? Read(byte[] file)
    {
        try
        {
            if (file.Length < 8 || BitConverter.ToUInt64(file) is var length && (length > 100_000_000 || length > (ulong)file.Length - 8))
            {
                return null;
            }

            int data = 8 + (int)BitConverter.ToUInt64(file);
            string text = new UTF8Encoding(false, true).GetString(file, 8, data - 8);
            if (!text.StartsWith('{'))
            {
                return null;
            }

            var reader = new StrictReader(text);
            var root = (Dictionary<string, object>)reader.Value(0);
            reader.Blank();
            Rule(reader._at == text.Length);
            return (Tensors(root, file.Length - data), data);
        }
        catch (Exception broken) when (broken is FormatException or DecoderFallbackException or EncoderFallbackException or InvalidCastException)
        {
            return null;
        }
    }

    private static List<StrictTensor> Tensors(Dictionary<string, object> root, long dataLength)
    {
        List<StrictTensor> tensors = [];
        foreach ((string name, object value) in root)
        {
            var fields = (Dictionary<string, object>)value;
            if (name == "__metadata__")
            {
                Rule(fields.Values.All(text => text is string));
                continue;
            }

            Rule(fields.Count == 3 && fields.ContainsKey("dtype") && fields.ContainsKey("shape") && fields.ContainsKey("data_offsets"));
            string format = (string)fields["dtype"];
            long[] shape = Numbers(fields["shape"]), offsets = Numbers(fields["data_offsets"]);
            Rule(Bits.ContainsKey(format) && shape.Length <= 64 && offsets.Length == 2);
            BigInteger extent = shape.Where(size => size != 0).Aggregate((BigInteger)Bits[format], (product, size) => product * size);
            BigInteger bits = shape.Contains(0) ? 0 : extent;
            Rule(extent <= long.MaxValue && bits % 8 == 0 && (BigInteger)offsets[1] - offsets[0] == bits / 8);
            tensors.Add(new StrictTensor(name, format, shape, offsets[0], offsets[1]));
        }

        tensors = [.. tensors.OrderBy(t => t.Begin).ThenBy(t => t.End)];
        long at = 0;
        foreach (StrictTensor tensor in tensors)
        {
            Rule(tensor.Begin == at);
            at = tensor.End;
        }

        Rule(at == dataLength);
        return tensors;
    }

    private static long[] Numbers(object list) => [.. ((List<object>)list).Select(number =>
    {
        var value = (BigInteger)number;
        Rule(value <= long.MaxValue);
        return (long)value;
    })];

    private static void Rule(bool holds)
    {
        if (!holds)
        {
            throw new FormatException();
        }
    }

    // An object is a dictionary, an array a list, a string a string, a whole number without sign a BigInteger; any other value is null.
    private object Value(int depth)
    {
        Rule(depth < 4);
        Blank();
        char c = Next();
        switch (c)
        {
            case '{':
                Dictionary<string, object> fields = [];
                for (Blank(); !Take('}'); Blank())
                {
                    Rule(fields.Count == 0 || Take(','));
                    Blank();
                    Rule(Next() == '"');
                    string name = Text();
                    Blank();
                    Rule(Next() == ':');
                    Rule(fields.TryAdd(name, Value(depth + 1)));
                }

                return fields;
            case '[':
                List<object> items = [];
                for (Blank(); !Take(']'); Blank())
                {
                    Rule(items.Count == 0 || Take(','));
                    items.Add(Value(depth + 1));
                }

                return items;
            case '"':
                return Text();
            default: // numbers with a sign, a fraction or an exponent, true, false and null have no place in this format
                Rule(char.IsAsciiDigit(c));
                int start = _at - 1;
                while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
                {
                    _at++;
                }

                Rule(c != '0' || _at == start + 1);
                Rule(_at == _text.Length || _text[_at] is not ('.' or 'e' or 'E'));
                return BigInteger.Parse(_text.AsSpan(start, _at - start), provider: System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    private string Text()
    {
        var text = new StringBuilder();
        for (char c = Next(); c != '"'; c = Next())
        {
            Rule(c >= ' ');
            text.Append(c != '\\' ? c : Next() switch
            {
                '"' => '"', '\\' => '\\', '/' => '/', 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', 'u' => Unit(), _ => throw new FormatException(),
            });
        }

        string whole = text.ToString();
        new UTF8Encoding(false, true).GetByteCount(whole); // no half of a surrogate pair
        return whole;
    }

    private char Unit()
    {
        int unit = 0;
        for (int i = 0; i < 4; i++)
        {
            char digit = Next();
            Rule(char.IsAsciiHexDigit(digit));
            unit = unit * 16 + Convert.ToInt32(digit.ToString(), 16);
        }

        return (char)unit;
    }

    private void Blank()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t' or '\n' or '\r')
        {
            _at++;
        }
    }

    private bool Take(char c)
    {
        bool there = _at < _text.Length && _text[_at] == c;
        _at += there ? 1 : 0;
        return there;
    }

    private char Next() => _at < _text.Length ? _text[_at++] : throw new FormatException();
}
