using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>Starts calls over HTTP.</summary>
internal sealed class HttpCallInvoker(GrpcChannel channel) : CallInvoker
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        using AsyncUnaryCall<TResponse> call = AsyncUnaryCall(method, host, options, request);
        return call.ResponseAsync.GetAwaiter().GetResult();
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = new ClientCall<TRequest, TResponse>(channel, method, host, options);
        call.Start(request);
        return new AsyncUnaryCall<TResponse>(call.ReceiveSingleAsync(), Hooks.Headers, Hooks.Status, Hooks.Trailers, Hooks.Dispose, call);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = new ClientCall<TRequest, TResponse>(channel, method, host, options);
        call.Start(request);
        return new AsyncServerStreamingCall<TResponse>(
            new ResponseStreamReader<TRequest, TResponse>(call), Hooks.Headers, Hooks.Status, Hooks.Trailers, Hooks.Dispose, call);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new ClientCall<TRequest, TResponse>(channel, method, host, options);
        var requests = new RequestStreamWriter<TRequest, TResponse>(call, call.StartStream(), options.WriteOptions, answersOnce: true);
        return new AsyncClientStreamingCall<TRequest, TResponse>(
            requests, call.ReceiveSingleAsync(), Hooks.Headers, Hooks.Status, Hooks.Trailers, Hooks.Dispose, call);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new ClientCall<TRequest, TResponse>(channel, method, host, options);
        var requests = new RequestStreamWriter<TRequest, TResponse>(call, call.StartStream(), options.WriteOptions, answersOnce: false);
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(
            requests, new ResponseStreamReader<TRequest, TResponse>(call), Hooks.Headers, Hooks.Status, Hooks.Trailers, Hooks.Dispose, call);
    }

    /// <summary>Made once, so that a call costs no delegates.</summary>
    private static class Hooks
    {
        public static readonly Func<object, Task<Metadata>> Headers = call => ((ClientCall)call).ResponseHeaders;
        public static readonly Func<object, Status> Status = call => ((ClientCall)call).GetStatus();
        public static readonly Func<object, Metadata> Trailers = call => ((ClientCall)call).GetTrailers();
        public static readonly Action<object> Dispose = call => ((ClientCall)call).Dispose();
    }
}
