using System.Buffers;
using System.Text;

namespace Grpc.Core;

public sealed partial class Metadata
{
    private static readonly SearchValues<char> KeyCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>One header: a key with a text, or a key that ends in "-bin" with bytes.</summary>
    public class Entry
    {
        private readonly string? _value;
        private readonly byte[]? _valueBytes;

        public Entry(string key, byte[] valueBytes)
        {
            ArgumentNullException.ThrowIfNull(valueBytes);
            Key = NormalizeKey(key);
            if (!IsBinary) throw new ArgumentException($"Key '{key}' holds bytes, so it must end in '{BinaryHeaderSuffix}'.", nameof(key));
            _valueBytes = valueBytes.ToArray();
        }

        public Entry(string key, string value)
        {
            ArgumentNullException.ThrowIfNull(value);
            Key = NormalizeKey(key);
            if (IsBinary) throw new ArgumentException($"Key '{key}' holds a text, so it must not end in '{BinaryHeaderSuffix}'.", nameof(key));
            _value = value;
        }

        /// <summary>The key, in lower case.</summary>
        public string Key { get; }

        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal);

        /// <summary>The text; throws for a binary entry.</summary>
        public string Value => _value ?? throw new InvalidOperationException($"Entry '{Key}' is binary: read its ValueBytes.");

        /// <summary>The bytes; of a text entry, its ASCII bytes.</summary>
        public byte[] ValueBytes => _valueBytes?.ToArray() ?? Encoding.ASCII.GetBytes(_value!);

        internal ReadOnlySpan<byte> BinaryValue => _valueBytes;

        public override string ToString() =>
            IsBinary ? $"[Entry: key={Key}, valueBytes={Convert.ToHexString(_valueBytes!)}]" : $"[Entry: key={Key}, value={_value}]";

        private static string NormalizeKey(string key)
        {
            ArgumentNullException.ThrowIfNull(key);
            string normalized = key.ToLowerInvariant();
            if (normalized.Length == 0 || normalized.AsSpan().ContainsAnyExcept(KeyCharacters))
            {
                throw new ArgumentException($"Metadata key '{key}' must be made of letters, digits, '_', '-' and '.'.", nameof(key));
            }
            return normalized;
        }
    }
}
