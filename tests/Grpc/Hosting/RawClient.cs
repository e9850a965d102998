using System.Buffers.Binary;
using System.Net;
using Google.Protobuf;

namespace Recsys.Grpc.Tests.Hosting;

/// <summary>HTTP/2 without gRPC: sends any bytes with any headers, and shows what comes back.</summary>
public sealed class RawClient(string address) : IDisposable
{
    private readonly HttpMessageInvoker _invoker = new(new SocketsHttpHandler { UseProxy = false });

    public sealed record Answer(HttpStatusCode Http, int? Status, string Message, byte[] Body, HttpResponseMessage Response) : IDisposable
    {
        public void Dispose() => Response.Dispose();

        public string? Header(string name) => Response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(',', values) : null;

        public string? Trailer(string name) => Response.TrailingHeaders.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(',', values) : null;
    }

    public Task<Answer> UnaryAsync(byte[] body, params (string Name, string Value)[] headers) => PostAsync("/recsys.test.Echo/Unary", body, headers);

    public async Task<Answer> PostAsync(string path, byte[] body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(new Uri(address), path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body),
        };
        request.Headers.TryAddWithoutValidation("te", "trailers");
        if (!headers.Any(header => header.Name == "content-type")) request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc");
        foreach ((string name, string value) in headers)
        {
            if (name == "content-type") request.Content.Headers.TryAddWithoutValidation(name, value);
            else request.Headers.TryAddWithoutValidation(name, value);
        }
        HttpResponseMessage response = await _invoker.SendAsync(request, CancellationToken.None);
        byte[] received = await response.Content.ReadAsByteArrayAsync();
        var answer = new Answer(response.StatusCode, null, "", received, response);
        string? status = answer.Trailer("grpc-status") ?? answer.Header("grpc-status");
        return answer with
        {
            Status = status is null ? null : int.Parse(status),
            Message = Uri.UnescapeDataString(answer.Trailer("grpc-message") ?? answer.Header("grpc-message") ?? ""),
        };
    }

    /// <summary>A message with its prefix.</summary>
    public static byte[] Frame(IMessage message) => Frame(message.ToByteArray());

    public static byte[] Frame(byte[] payload, byte flag = 0, uint? length = null)
    {
        var frame = new byte[5 + payload.Length];
        frame[0] = flag;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), length ?? (uint)payload.Length);
        payload.CopyTo(frame, 5);
        return frame;
    }

    public void Dispose() => _invoker.Dispose();
}
