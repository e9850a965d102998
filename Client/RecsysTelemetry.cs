using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Recsys.Client;

/// <summary>
/// What a client tells OpenTelemetry, by <c>AddSource(RecsysTelemetry.Name)</c> and <c>AddMeter(RecsysTelemetry.Name)</c>: a span for each
/// call (kind client), <c>rpc.client.duration</c> in seconds by method and status, and <c>recsys.client.fallbacks</c> by reason.
/// </summary>
public static class RecsysTelemetry
{
    /// <summary>Of the source of spans, and of the meter.</summary>
    public const string Name = "Recsys.Client";

    private static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);
    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "rpc.client.duration", "s", "Duration of a call, retries included");
    private static readonly Counter<long> Fallbacks = Meter.CreateCounter<long>(
        "recsys.client.fallbacks", "{answer}", "Answers that came from the caller's own fallback");

    internal static void FellBack(StatusCode reason) => Fallbacks.Add(1, new KeyValuePair<string, object?>("reason", reason.ToString()));

    /// <summary>Gives unary calls without a deadline one, and measures them. A stream takes as long as its caller goes on.</summary>
    internal sealed class Calls(TimeSpan deadline) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context,
            AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            var measured = new Measurement(context.Method);
            var call = continuation(request, WithDeadline(context));
            measured.Leave();
            return new AsyncUnaryCall<TResponse>(
                AnswerAsync(call.ResponseAsync, measured), call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, call.Dispose);
        }

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context,
            BlockingUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            var measured = new Measurement(context.Method);
            try
            {
                var answer = continuation(request, WithDeadline(context));
                measured.End(null);
                return answer;
            }
            catch (RpcException error)
            {
                measured.End(error);
                throw;
            }
            finally
            {
                measured.Leave();
            }
        }

        private ClientInterceptorContext<TRequest, TResponse> WithDeadline<TRequest, TResponse>(
            ClientInterceptorContext<TRequest, TResponse> context)
            where TRequest : class
            where TResponse : class => context.Options.Deadline is not null
                ? context
                : new(context.Method, context.Host, context.Options.WithDeadline(DateTime.UtcNow + deadline));

        private static async Task<TResponse> AnswerAsync<TResponse>(Task<TResponse> answer, Measurement measured)
        {
            try
            {
                var response = await answer.ConfigureAwait(false);
                measured.End(null);
                return response;
            }
            catch (RpcException error)
            {
                measured.End(error);
                throw;
            }
        }
    }

    /// <summary>One call: its span, and how long it takes.</summary>
    private sealed class Measurement
    {
        private readonly IMethod _method;
        private readonly Activity? _outer = Activity.Current, _span;
        private readonly long _started = Stopwatch.GetTimestamp();

        public Measurement(IMethod method)
        {
            _method = method;
            _span = Source.StartActivity(method.FullName.TrimStart('/'), ActivityKind.Client);
            _span?.SetTag("rpc.system", "grpc").SetTag("rpc.service", method.ServiceName).SetTag("rpc.method", method.Name);
        }

        /// <summary>What the caller does besides is no part of the call.</summary>
        public void Leave() => Activity.Current = _outer;

        public void End(RpcException? error)
        {
            int status = (int)(error?.StatusCode ?? StatusCode.OK);
            if (error is not null)
            {
                _span?.SetStatus(ActivityStatusCode.Error, error.Status.Detail);
            }

            _span?.SetTag("rpc.grpc.status_code", status).Dispose();
            Duration.Record(
                Stopwatch.GetElapsedTime(_started).TotalSeconds,
                new TagList { { "rpc.service", _method.ServiceName }, { "rpc.method", _method.Name }, { "rpc.grpc.status_code", status } });
        }
    }
}
