using Grpc.Core;

namespace Grpc.Wire;

/// <summary>Names and values of the protocol's own headers.</summary>
internal static class Headers
{
    public const string ContentType = "application/grpc";
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string Timeout = "grpc-timeout";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string Identity = "identity";

    /// <summary>Metadata key by which a call asks for compression of its own messages; never sent.</summary>
    public const string InternalEncodingRequest = "grpc-internal-encoding-request";

    private static readonly HashSet<string> OfTheProtocol = new(StringComparer.OrdinalIgnoreCase)
    {
        Status, Message, Timeout, Encoding, AcceptEncoding, "content-type", "te", "host", "accept-encoding", "transfer-encoding",
    };

    /// <summary>Headers that do not belong to a call's metadata.</summary>
    public static bool IsProtocolHeader(string name) => name.StartsWith(':') || OfTheProtocol.Contains(name);

    /// <summary>"application/grpc", alone or followed by '+' or ';'.</summary>
    public static bool IsGrpcContentType(string? contentType) =>
        contentType is not null
        && contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == ContentType.Length || contentType[ContentType.Length] is '+' or ';');

    /// <summary>Adds a received header to metadata, decoded if binary. Names that metadata cannot hold are left out.</summary>
    public static void AddReceived(Metadata metadata, string name, string value)
    {
        if (name.AsSpan().ContainsAnyExcept(NameCharacters)) return;
        if (name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase)) BinaryHeader.AddTo(metadata, name, value);
        else metadata.Add(new Metadata.Entry(name, value));
    }

    /// <summary>The text an entry is sent as.</summary>
    public static string ToHeaderValue(Metadata.Entry entry) => entry.IsBinary ? BinaryHeader.Encode(entry.BinaryValue) : entry.Value;

    /// <summary>True when an entry's text may be sent: only visible ASCII and spaces.</summary>
    public static bool IsSendable(Metadata.Entry entry) => entry.IsBinary || !entry.Value.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private static readonly System.Buffers.SearchValues<char> NameCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
}
