using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>One call of a method: sends its request, opens its answer, receives its messages.</summary>
internal sealed class ClientCall<TRequest, TResponse>(GrpcChannel channel, Method<TRequest, TResponse> method, string? host, CallOptions options)
    : ClientCall(channel, method, options)
    where TRequest : class
    where TResponse : class
{
    private readonly ICompressionProvider? _compression = FindCompression(channel, options);
    private Task<HttpResponseMessage> _answer = null!;
    private Task<Metadata>? _headers;
    private PipeReader? _body;
    private MessageReader? _reader;

    public override Task<Metadata> ResponseHeaders => _headers ??= Observed(ReadHeadersAsync());

    /// <summary>Sends the one request.</summary>
    public void Start(TRequest request)
    {
        Watch();
        _answer = Observed(OpenAsync(() =>
        {
            var bytes = new ArrayBufferWriter<byte>(256);
            Frame(new MessageFramer(), request, bytes, Options.WriteOptions);
            return new ReadOnlyMemoryContent(bytes.WrittenMemory);
        }));
    }

    /// <summary>Opens the stream of requests.</summary>
    public RequestStreamContent StartStream()
    {
        Watch();
        var content = new RequestStreamContent(Finished);
        _answer = Observed(OpenAsync(() => content));
        return content;
    }

    public void Frame(MessageFramer framer, TRequest request, IBufferWriter<byte> output, WriteOptions? writeOptions)
    {
        bool compress = (writeOptions?.Flags & WriteFlags.NoCompress) != WriteFlags.NoCompress;
        framer.Write(method.RequestMarshaller.ContextualSerializer, request, output, compress ? _compression : null, null, Channel.Options.MaxSendMessageSize);
    }

    /// <summary>The one response of a call that has ended well.</summary>
    public Task<TResponse> ReceiveSingleAsync() => Observed(ReceiveAsync());

    private async Task<TResponse> ReceiveAsync()
    {
        TResponse? response = await ReceiveNextAsync().ConfigureAwait(false);
        if (response is null)
        {
            throw EndedWith(StatusCode.Internal, "The call ended with OK, but without a response message.");
        }
        if (await ReceiveNextAsync().ConfigureAwait(false) is not null)
        {
            throw Failure(new RpcException(new Status(StatusCode.Internal, "More than one response message in a call that has one.")));
        }
        return response;
    }

    /// <summary>The next response; null when the call has ended with OK; throws when it has ended otherwise.</summary>
    public async Task<TResponse?> ReceiveNextAsync()
    {
        HttpResponseMessage answer = await _answer.ConfigureAwait(false);
        try
        {
            if (Finished.IsCompleted) return GetStatus().StatusCode == StatusCode.OK ? null : throw EndFailure();
            if (_reader is null)
            {
                _body = PipeReader.Create(await answer.Content.ReadAsStreamAsync(Cancellation).ConfigureAwait(false), new StreamPipeReaderOptions(bufferSize: 16384));
                _reader = new MessageReader(_body, Channel.Codecs, Channel.Options.MaxReceiveMessageSize) { Encoding = ResponseMetadata.First(answer.Headers, Headers.Encoding) };
            }
            TResponse? message = await _reader.ReadAsync(method.ResponseMarshaller.ContextualDeserializer, Cancellation).ConfigureAwait(false);
            if (message is not null) return message;
            (Status status, Metadata trailers) = ResponseMetadata.ReadEnd(answer);
            await _body!.CompleteAsync().ConfigureAwait(false);
            End(status, trailers, early: status.StatusCode != StatusCode.OK);
        }
        catch (Exception exception)
        {
            throw Failure(exception);
        }
        return GetStatus().StatusCode == StatusCode.OK ? null : throw EndFailure();
    }

    private async Task<Metadata> ReadHeadersAsync() => ResponseMetadata.Read((await _answer.ConfigureAwait(false)).Headers);

    private async Task<HttpResponseMessage> OpenAsync(Func<HttpContent> content)
    {
        try
        {
            if (Finished.IsCompleted) throw EndFailure();
            HttpRequestMessage request = await RequestBuilder.BuildAsync(this, method, host, _compression).ConfigureAwait(false);
            request.Content = content();
            request.Content.Headers.TryAddWithoutValidation("Content-Type", Headers.ContentType);
            HttpResponseMessage answer = Channel.Invoker is HttpClient client
                ? await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation).ConfigureAwait(false)
                : await Channel.Invoker.SendAsync(request, Cancellation).ConfigureAwait(false);
            Attach(answer);
            if (ResponseMetadata.RefusalOf(answer) is { } refusal) End(refusal, ResponseMetadata.ReadTrailersOnly(answer), early: true);
            if (Finished.IsCompleted && GetStatus().StatusCode != StatusCode.OK) throw EndFailure();
            return answer;
        }
        catch (Exception exception)
        {
            throw Failure(exception);
        }
    }

    private RpcException EndedWith(StatusCode code, string detail) => new(new Status(code, detail), GetTrailers());

    private static ICompressionProvider? FindCompression(GrpcChannel channel, CallOptions options)
    {
        string? wanted = options.Headers?.GetValue(Headers.InternalEncodingRequest);
        if (wanted is null or Headers.Identity) return null;
        return channel.Codecs.Find(wanted)
            ?? throw new InvalidOperationException($"Compression '{wanted}' is unknown; known are {channel.Codecs.AcceptEncoding}.");
    }

    /// <summary>A failure that the caller does not look at is in the call's status too.</summary>
    private static Task<T> Observed<T>(Task<T> task)
    {
        task.ContinueWith(static failed => _ = failed.Exception, CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return task;
    }
}
