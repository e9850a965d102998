using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Wire;
using Microsoft.AspNetCore.Http.Features;

namespace Grpc.AspNetCore.Server;

/// <summary>Sends messages.</summary>
internal sealed partial class HttpContextServerCallContext
{
    private MessageFramer? _framer; // of a stream
    private bool _hasMessage;

    /// <summary>The one response of a call: it waits in the body's buffer for the status, which follows at once.</summary>
    public void WriteResponse<T>(T message, Marshaller<T> marshaller)
        where T : class
    {
        BeginWrite();
        MessageFramer framer = MessageFramer.Rent();
        try
        {
            framer.Write(marshaller.ContextualSerializer, message, HttpContext.Response.BodyWriter, ResponseCompression, ResponseCompressionLevel, Options.MaxSendMessageSize);
            _hasMessage = true;
        }
        catch (RpcException) when (framer.IsBroken)
        {
            HttpContext.Features.Get<IHttpResetFeature>()?.Reset(2);
            throw;
        }
        finally
        {
            MessageFramer.Return(framer);
            EndWrite();
        }
    }

    public async Task WriteMessageAsync<T>(T message, Marshaller<T> marshaller, bool flush, CancellationToken cancellationToken)
        where T : class
    {
        BeginWrite();
        try
        {
            if (HttpContext.RequestAborted.IsCancellationRequested) throw new OperationCanceledException("The client has gone: nothing more can be sent.", CancellationTokenCore);
            PipeWriter body = HttpContext.Response.BodyWriter;
            if (!HttpContext.Response.HasStarted) await HttpContext.Response.StartAsync(cancellationToken);
            MessageFramer framer = _framer ??= new MessageFramer();
            try
            {
                framer.Write(marshaller.ContextualSerializer, message, body, ResponseCompression, ResponseCompressionLevel, Options.MaxSendMessageSize);
            }
            catch (RpcException) when (framer.IsBroken)
            {
                // Part of the message is in the pipe: only a reset keeps the client from taking what follows for the rest of it.
                HttpContext.Features.Get<IHttpResetFeature>()?.Reset(2);
                throw;
            }
            if (flush) await body.FlushAsync(cancellationToken);
        }
        finally
        {
            EndWrite();
        }
    }
}

/// <summary>The responses of a streaming call.</summary>
internal sealed class ResponseStream<T>(HttpContextServerCallContext call, Marshaller<T> marshaller) : IServerStreamWriter<T>
    where T : class
{
    public WriteOptions? WriteOptions
    {
        get => call.WriteOptions;
        set => call.WriteOptions = value;
    }

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        cancellationToken.ThrowIfCancellationRequested();
        bool flush = (call.WriteOptions?.Flags & WriteFlags.BufferHint) != WriteFlags.BufferHint;
        return call.WriteMessageAsync(message, marshaller, flush, cancellationToken);
    }
}

/// <summary>The requests of a streaming call.</summary>
internal sealed class RequestStream<T>(HttpContextServerCallContext call, Marshaller<T> marshaller) : IAsyncStreamReader<T>
    where T : class
{
    private T? _current;
    private bool _finished;

    public T Current => _current ?? throw new InvalidOperationException("There is no current message: MoveNext has not returned true.");

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        _current = null;
        if (_finished) return false;
        cancellationToken.ThrowIfCancellationRequested();
        using CancellationTokenSource? linked = cancellationToken.CanBeCanceled
            ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, call.CancellationToken)
            : null;
        _current = await call.Reader.ReadAsync(marshaller.ContextualDeserializer, linked?.Token ?? call.CancellationToken);
        _finished = _current is null;
        return !_finished;
    }
}
