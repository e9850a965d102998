using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Recsys.V1;

namespace Recsys.Retrieval.Service;

/// <summary>
/// Where the next page of an answer goes on: behind the items that were shown, whatever is in stock by then. Opaque to callers: base64url
/// of the version, a hash of the request, and the items shown.
/// </summary>
/// <param name="Shown">Item indexes of the version's table.</param>
internal sealed record PageToken(string Version, IReadOnlyList<int> Shown)
{
    private const int HashLength = 8;

    /// <param name="request">Whose next page it is.</param>
    public string Text(RecommendRequest request)
    {
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes))
        {
            writer.Write(HashOf(request));
            writer.Write(Version);
            writer.Write7BitEncodedInt(Shown.Count);
            foreach (int item in Shown)
            {
                writer.Write7BitEncodedInt(item);
            }
        }

        return Base64Url.EncodeToString(bytes.ToArray());
    }

    /// <returns>Null: the request asks for the first page.</returns>
    /// <exception cref="CatalogException">InvalidArgument: no token of this request.</exception>
    public static PageToken? Of(RecommendRequest request)
    {
        if (request.PageToken.Length == 0)
        {
            return null;
        }

        try
        {
            using var reader = new BinaryReader(new MemoryStream(Base64Url.DecodeFromChars(request.PageToken)));
            byte[] hash = reader.ReadBytes(HashLength);
            var token = new PageToken(reader.ReadString(), ReadItems(reader));
            return hash.AsSpan().SequenceEqual(HashOf(request)) ? token : throw CatalogException.InvalidField(
                "page_token", "page_token is of another request: all but the token must be as it was for the page before.");
        }
        catch (Exception error) when (error is FormatException or IOException or DecoderFallbackException)
        {
            throw CatalogException.InvalidField(
                "page_token",
                $"page_token '{ItemIds.Shown(request.PageToken)}' is no token of this service; send next_page_token as it came.",
                error);
        }
    }

    private static int[] ReadItems(BinaryReader reader)
    {
        int count = reader.Read7BitEncodedInt();
        return count is >= 0 and <= RecommendQuery.MaxK
            ? [.. Enumerable.Range(0, count).Select(_ => reader.Read7BitEncodedInt())
                .Select(item => item >= 0 ? item : throw new FormatException())]
            : throw new FormatException();
    }

    private static byte[] HashOf(RecommendRequest request)
    {
        var same = request.Clone();
        (same.PageToken, same.RequestId) = ("", "");
        return SHA256.HashData(same.ToByteArray())[..HashLength];
    }
}
