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
    private TaskCompletionSource<HttpResponseMessage?>? _answer;
    private HttpResponseMessage? _opened;
    private bool _isOpen;
    private Task<Metadata>? _headers;
    private PipeReader? _body;
    private MessageReader? _reader;

    public override Task<Metadata> ResponseHeaders => _headers ??= Observed(ReadHeadersAsync());

    /// <summary>The answer once its headers have come; null when the call ended before. Never fails. Made for who asks.</summary>
    public Task<HttpResponseMessage?> Answer
    {
        get
        {
            lock (Gate)
            {
                if (_answer is null)
                {
                    _answer = new TaskCompletionSource<HttpResponseMessage?>();
                    if (_isOpen) _answer.SetResult(_opened);
                }
                return _answer.Task;
            }
        }
    }

    /// <summary>The whole of a call with one request and one response, in one flow of control.</summary>
    public Task<TResponse> Start(TRequest request)
    {
        Watch();
        var response = new TaskCompletionSource<TResponse>();
        _ = RunAsync(request, null, response);
        return response.Task;
    }

    /// <summary>Sends the one request of a call with many responses.</summary>
    public void StartReading(TRequest request)
    {
        Watch();
        _ = RunAsync(request, null, null);
    }

    /// <summary>Sends a body that is made when there is a connection for it.</summary>
    public void Start(Func<HttpContent> content)
    {
        Watch();
        _ = RunAsync(null, content, null);
    }

    /// <summary>Opens the stream of requests.</summary>
    public RequestStreamContent StartStream()
    {
        var content = new RequestStreamContent(Finished);
        Start(() => content);
        return content;
    }

    /// <summary>One message, with its prefix.</summary>
    public ReadOnlyMemory<byte> Frame(TRequest request, WriteOptions? writeOptions)
    {
        var bytes = new SingleBlock();
        MessageFramer framer = MessageFramer.Rent();
        try
        {
            Frame(framer, request, bytes, writeOptions);
        }
        finally
        {
            MessageFramer.Return(framer);
        }
        return bytes.Written;
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

    private async Task ReceiveSingleAsync(TaskCompletionSource<TResponse> received) => await ReceiveSingleAsync(await Answer.ConfigureAwait(false), received).ConfigureAwait(false);

    private async ValueTask ReceiveSingleAsync(HttpResponseMessage? answer, TaskCompletionSource<TResponse> received)
    {
        TResponse response;
        try
        {
            response = await ReadSingleAsync(answer).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RpcException or OperationCanceledException)
        {
            received.SetException(exception);
            _ = received.Task.Exception;
            return;
        }
        received.SetResult(response);
    }

    private async ValueTask<TResponse> ReadSingleAsync(HttpResponseMessage? answer)
    {
        TResponse? message = null;
        try
        {
            if (answer is not null && !HasEnded)
            {
                Stream body = await answer.Content.ReadAsStreamAsync(Cancellation).ConfigureAwait(false);
                message = await NewReader(answer, pipe: null).ReadWholeAsync(body, method.ResponseMarshaller.ContextualDeserializer, Cancellation).ConfigureAwait(false);
                EndWith(answer);
            }
        }
        catch (Exception exception)
        {
            throw Failure(exception);
        }
        if (GetStatus().StatusCode != StatusCode.OK) throw EndFailure();
        return message ?? throw new RpcException(new Status(StatusCode.Internal, "The call ended with OK, but without a response message."), GetTrailers());
    }

    /// <summary>The next response; null when the call has ended with OK; throws when it has ended otherwise.</summary>
    public async ValueTask<TResponse?> ReceiveNextAsync()
    {
        HttpResponseMessage? answer = await Answer.ConfigureAwait(false);
        try
        {
            if (answer is null || HasEnded) return GetStatus().StatusCode == StatusCode.OK ? null : throw EndFailure();
            if (_reader is null)
            {
                _body = PipeReader.Create(await answer.Content.ReadAsStreamAsync(Cancellation).ConfigureAwait(false), ReaderOptions);
                _reader = NewReader(answer, _body);
            }
            TResponse? message = await _reader.ReadAsync(method.ResponseMarshaller.ContextualDeserializer, Cancellation).ConfigureAwait(false);
            if (message is not null) return message;
            await _body!.CompleteAsync().ConfigureAwait(false);
            EndWith(answer);
        }
        catch (Exception exception)
        {
            throw Failure(exception);
        }
        return GetStatus().StatusCode == StatusCode.OK ? null : throw EndFailure();
    }

    private void EndWith(HttpResponseMessage answer)
    {
        (Status status, Metadata trailers) = ResponseMetadata.ReadEnd(answer);
        End(status, trailers, early: status.StatusCode != StatusCode.OK);
    }

    private MessageReader NewReader(HttpResponseMessage answer, PipeReader? pipe) =>
        new(pipe, Channel.Codecs, Channel.Options.MaxReceiveMessageSize) { Encoding = ResponseMetadata.First(answer.Headers, Headers.Encoding) };

    private static readonly StreamPipeReaderOptions ReaderOptions = new(bufferSize: 16384);

    private async Task<Metadata> ReadHeadersAsync() =>
        ResponseMetadata.Read((await Answer.ConfigureAwait(false) ?? throw EndFailure()).Headers);

    /// <summary>Sends the request or the content, opens the answer, and receives its one response if there is to be one.</summary>
    private async Task RunAsync(TRequest? request, Func<HttpContent>? makeContent, TaskCompletionSource<TResponse>? received)
    {
        HttpResponseMessage? answer = null;
        try
        {
            if (!HasEnded)
            {
                answer = await SendAsync(request, makeContent).ConfigureAwait(false);
                Attach(answer);
                if (ResponseMetadata.RefusalOf(answer) is { } refusal) End(refusal, ResponseMetadata.ReadTrailersOnly(answer), early: true);
                if (HasEnded && GetStatus().StatusCode != StatusCode.OK) answer = null;
            }
        }
        catch (Exception exception)
        {
            Failure(exception);
            answer = null;
        }
        Open(answer);
        if (received is not null) await ReceiveSingleAsync(answer, received).ConfigureAwait(false);
    }

    private void Open(HttpResponseMessage? answer)
    {
        lock (Gate) (_isOpen, _opened) = (true, answer);
        _answer?.TrySetResult(answer);
    }

    private Task<HttpResponseMessage> SendAsync(TRequest? request, Func<HttpContent>? makeContent)
    {
        ValueTask<Metadata> metadata = RequestBuilder.WithCredentialsAsync(this, method);
        return metadata.IsCompletedSuccessfully && Channel.Transport.OnlyAddress(Options.IsWaitForReady) is { } address
            ? SendAsync(address, metadata.Result, NewContent(request, makeContent))
            : SendAsync(metadata, request, makeContent);
    }

    /// <summary>Sends the request; where a connection fails before anything could be sent, over the next one.</summary>
    private async Task<HttpResponseMessage> SendAsync(ValueTask<Metadata> coming, TRequest? request, Func<HttpContent>? makeContent)
    {
        Metadata metadata = await coming.ConfigureAwait(false);
        HttpContent? content = null;
        for (int failures = 1; ; failures++)
        {
            PickedAddress picked = await Channel.Transport.PickAsync(Options.IsWaitForReady, Cancellation).ConfigureAwait(false);
            content ??= NewContent(request, makeContent);
            TimeSpan? pause;
            try
            {
                return await SendAsync(picked, metadata, content).ConfigureAwait(false);
            }
            catch (HttpRequestException exception) when (ClientErrors.IsConnectFailure(exception))
            {
                pause = Channel.Transport.AfterConnectFailure(picked, exception, failures, Options.IsWaitForReady);
                if (pause is null) throw;
            }
            await Task.Delay(pause.Value, Cancellation).ConfigureAwait(false);
        }
    }

    private Task<HttpResponseMessage> SendAsync(PickedAddress picked, Metadata metadata, HttpContent content)
    {
        HttpRequestMessage request = RequestBuilder.Build(this, method, host ?? picked.HostHeader, _compression, metadata, picked.UriOf(method), previousAttempts);
        request.Content = content;
        return picked.Invoker is HttpClient client
            ? client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation)
            : picked.Invoker.SendAsync(request, Cancellation);
    }

    private HttpContent NewContent(TRequest? request, Func<HttpContent>? makeContent)
    {
        HttpContent content = makeContent?.Invoke() ?? new ReadOnlyMemoryContent(Frame(request!, Options.WriteOptions));
        content.Headers.TryAddWithoutValidation("Content-Type", Headers.ContentType);
        return content;
    }

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
