using System.Buffers.Text;
using Grpc.Core;

namespace Grpc.Wire;

/// <summary>Values of "-bin" headers: base64, sent without padding, accepted with or without, several joined by commas.</summary>
internal static class BinaryHeader
{
    public static string Encode(ReadOnlySpan<byte> value) => Convert.ToBase64String(value).TrimEnd('=');

    /// <summary>Adds an entry for each value to the metadata.</summary>
    /// <exception cref="RpcException">INTERNAL when a value is not base64.</exception>
    public static void AddTo(Metadata metadata, string key, string value)
    {
        foreach (Range part in value.AsSpan().Split(','))
        {
            metadata.Add(new Metadata.Entry(key, Decode(key, value.AsSpan(part).Trim())));
        }
    }

    private static byte[] Decode(string key, ReadOnlySpan<char> encoded)
    {
        ReadOnlySpan<char> digits = encoded.TrimEnd('=');
        Span<char> padded = new char[(digits.Length + 3) / 4 * 4];
        digits.CopyTo(padded);
        padded[digits.Length..].Fill('=');
        var bytes = new byte[padded.Length / 4 * 3];
        if (digits.Length % 4 == 1 || !Convert.TryFromBase64Chars(padded, bytes, out int written))
        {
            throw new RpcException(new Status(StatusCode.Internal, $"Header '{key}' is not valid base64."));
        }
        return bytes.AsSpan(0, written).ToArray();
    }
}
