using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>One call of a method, or one attempt of it: sends its request, opens its answer, receives its messages.</summary>
/// <param name="channel">Where to.</param>
/// <param name="method">Of the service.</param>
/// <param name="host">Authority to name; null for the channel's.</param>
/// <param name="options">Of the call.</param>
/// <param name="previousAttempts">Attempts of the same call that have failed; the server is told.</param>
internal sealed class ClientCall<TRequest, TResponse>(
    GrpcChannel channel, Method<TRequest, TResponse> method, string? host, CallOptions options, int previousAttempts = 0)
    : ClientCall(channel, method, options), IReceivingCall<TResponse>
    where TRequest : class
    where TResponse : class
{
    private readonly ICompressionProvider? _compression = FindCompression(channel, options);
    private Task<HttpResponseMessage?> _answer = null!;
    private Task<Metadata>? _headers;
    private PipeReader? _body;
    private MessageReader? _reader;

    public override Task<Metadata> ResponseHeaders => _headers ??= Observed(ReadHeadersAsync());

    /// <summary>The answer once its headers have come; null when the call ended before. Never fails.</summary>
    public Task<HttpResponseMessage?> Answer => _answer;

    /// <summary>Sends the one request.</summary>
    public void Start(TRequest request) => Start(() =>
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        Frame(new MessageFramer(), request, bytes, Options.WriteOptions);
        return new ReadOnlyMemoryContent(bytes.WrittenMemory);
    });

    /// <summary>Sends a body that is made when there is a connection for it.</summary>
    public void Start(Func<HttpContent> content)
    {
        Watch();
        _answer = OpenAsync(content);
    }

    /// <summary>Opens the stream of requests.</summary>
    public RequestStreamContent StartStream()
    {
        var content = new RequestStreamContent(Finished);
        Start(() => content);
        return content;
    }

    public void Frame(MessageFramer framer, TRequest request, IBufferWriter<byte> output, WriteOptions? writeOptions)
    {
        bool compress = (writeOptions?.Flags & WriteFlags.NoCompress) != WriteFlags.NoCompress;
        framer.Write(method.RequestMarshaller.ContextualSerializer, request, output, compress ? _compression : null, null, Channel.Options.MaxSendMessageSize);
    }

    /// <summary>The one response of a call that has ended well. A failure that the caller does not look at is in the call's status too.</summary>
    public Task<TResponse> ReceiveSingleAsync()
    {
        var response = new TaskCompletionSource<TResponse>();
        _ = ReceiveSingleAsync(response);
        return response.Task;
    }

    private async Task ReceiveSingleAsync(TaskCompletionSource<TResponse> received)
    {
        try
        {
            TResponse? response = await ReceiveNextAsync().ConfigureAwait(false);
            if (response is null) throw EndedWith(StatusCode.Internal, "The call ended with OK, but without a response message.");
            if (await ReceiveNextAsync().ConfigureAwait(false) is not null)
            {
                throw Failure(new RpcException(new Status(StatusCode.Internal, "More than one response message in a call that has one.")));
            }
            received.SetResult(response);
        }
        catch (OperationCanceledException exception)
        {
            received.SetException(exception);
            _ = received.Task.Exception;
        }
        catch (RpcException exception)
        {
            received.SetException(exception);
            _ = received.Task.Exception;
        }
    }

    /// <summary>The next response; null when the call has ended with OK; throws when it has ended otherwise.</summary>
    public async ValueTask<TResponse?> ReceiveNextAsync()
    {
        HttpResponseMessage? answer = await _answer.ConfigureAwait(false);
        try
        {
            if (answer is null || Finished.IsCompleted) return GetStatus().StatusCode == StatusCode.OK ? null : throw EndFailure();
            if (_reader is null)
            {
                _body = PipeReader.Create(await answer.Content.ReadAsStreamAsync(Cancellation).ConfigureAwait(false), ReaderOptions);
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

    private static readonly StreamPipeReaderOptions ReaderOptions = new(bufferSize: 16384);

    private async Task<Metadata> ReadHeadersAsync() =>
        ResponseMetadata.Read((await _answer.ConfigureAwait(false) ?? throw EndFailure()).Headers);

    private async Task<HttpResponseMessage?> OpenAsync(Func<HttpContent> makeContent)
    {
        try
        {
            if (Finished.IsCompleted) return null;
            HttpResponseMessage answer = await SendAsync(makeContent).ConfigureAwait(false);
            Attach(answer);
            if (ResponseMetadata.RefusalOf(answer) is { } refusal) End(refusal, ResponseMetadata.ReadTrailersOnly(answer), early: true);
            return Finished.IsCompleted && GetStatus().StatusCode != StatusCode.OK ? null : answer;
        }
        catch (Exception exception)
        {
            Failure(exception);
            return null;
        }
    }

    /// <summary>Sends the request; where a connection fails before anything could be sent, over the next one.</summary>
    private async Task<HttpResponseMessage> SendAsync(Func<HttpContent> makeContent)
    {
        Metadata metadata = await RequestBuilder.WithCredentialsAsync(this, method).ConfigureAwait(false);
        HttpContent? content = null;
        for (int failures = 1; ; failures++)
        {
            PickedAddress picked = await Channel.Transport.PickAsync(Options.IsWaitForReady, Cancellation).ConfigureAwait(false);
            HttpRequestMessage request = RequestBuilder.Build(this, method, host ?? picked.HostHeader, _compression, metadata, picked.UriOf(method), previousAttempts);
            if (content is null)
            {
                content = makeContent();
                content.Headers.TryAddWithoutValidation("Content-Type", Headers.ContentType);
            }
            request.Content = content;
            TimeSpan? pause;
            try
            {
                return picked.Invoker is HttpClient client
                    ? await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation).ConfigureAwait(false)
                    : await picked.Invoker.SendAsync(request, Cancellation).ConfigureAwait(false);
            }
            catch (HttpRequestException exception) when (ClientErrors.IsConnectFailure(exception))
            {
                pause = Channel.Transport.AfterConnectFailure(picked, exception, failures, Options.IsWaitForReady);
                if (pause is null) throw;
            }
            await Task.Delay(pause.Value, Cancellation).ConfigureAwait(false);
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
