using Grpc.Core;
using Grpc.Net.Client.Retry;

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
        if (channel.NewSchedule(method) is { } schedule)
        {
            var retrying = new RetryCall<TRequest, TResponse>(channel, method, host, options, schedule);
            retrying.Start(request);
            return new AsyncUnaryCall<TResponse>(retrying.ReceiveSingleAsync(), Hooks.Headers, Hooks.Status, Hooks.Trailers, Hooks.Dispose, retrying);
        }
        var call = new ClientCall<TRequest, TResponse>(channel, method, host, options);
        return new AsyncUnaryCall<TResponse>(call.Start(request), Hooks.Headers, Hooks.Status, Hooks.Trailers, Hooks.Dispose, call);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        IReceivingCall<TResponse> call = Start(method, host, options, request);
        return new AsyncServerStreamingCall<TResponse>(
            new ResponseStreamReader<TResponse>(call), Hooks.Headers, Hooks.Status, Hooks.Trailers, Hooks.Dispose, call);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        IReceivingCall<TResponse> call = StartStream(method, host, options, answersOnce: true, out IClientStreamWriter<TRequest> requests);
        return new AsyncClientStreamingCall<TRequest, TResponse>(
            requests, call.ReceiveSingleAsync(), Hooks.Headers, Hooks.Status, Hooks.Trailers, Hooks.Dispose, call);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        IReceivingCall<TResponse> call = StartStream(method, host, options, answersOnce: false, out IClientStreamWriter<TRequest> requests);
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(
            requests, new ResponseStreamReader<TResponse>(call), Hooks.Headers, Hooks.Status, Hooks.Trailers, Hooks.Dispose, call);
    }

    private IReceivingCall<TResponse> Start<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        where TRequest : class
        where TResponse : class
    {
        if (channel.NewSchedule(method) is { } schedule)
        {
            var retrying = new RetryCall<TRequest, TResponse>(channel, method, host, options, schedule);
            retrying.Start(request);
            return retrying;
        }
        var call = new ClientCall<TRequest, TResponse>(channel, method, host, options);
        call.StartReading(request);
        return call;
    }

    private IReceivingCall<TResponse> StartStream<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, bool answersOnce, out IClientStreamWriter<TRequest> requests)
        where TRequest : class
        where TResponse : class
    {
        if (channel.NewSchedule(method) is { } schedule)
        {
            var retrying = new RetryCall<TRequest, TResponse>(channel, method, host, options, schedule);
            retrying.StartStream();
            requests = new RetryRequestWriter<TRequest, TResponse>(retrying);
            return retrying;
        }
        var call = new ClientCall<TRequest, TResponse>(channel, method, host, options);
        requests = new RequestStreamWriter<TRequest, TResponse>(call, call.StartStream(), options.WriteOptions, answersOnce);
        return call;
    }

    /// <summary>Made once, so that a call costs no delegates.</summary>
    private static class Hooks
    {
        public static readonly Func<object, Task<Metadata>> Headers = call => ((IStartedCall)call).ResponseHeaders;
        public static readonly Func<object, Status> Status = call => ((IStartedCall)call).GetStatus();
        public static readonly Func<object, Metadata> Trailers = call => ((IStartedCall)call).GetTrailers();
        public static readonly Action<object> Dispose = call => ((IStartedCall)call).Dispose();
    }
}
