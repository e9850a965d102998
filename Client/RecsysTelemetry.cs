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

    /// <summary>Gives calls without a deadline one, and measures them.</summary>
    internal sealed class Calls(TimeSpan deadline) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context,
            AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            var options = context.Options.Deadline is null ? context.Options.WithDeadline(DateTime.UtcNow + deadline) : context.Options;
            var span = Source.StartActivity(context.Method.FullName.TrimStart('/'), ActivityKind.Client);
            span?.SetTag("rpc.system", "grpc").SetTag("rpc.service", context.Method.ServiceName).SetTag("rpc.method", context.Method.Name);
            long started = Stopwatch.GetTimestamp();
            var call = continuation(request, new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, options));
            return new AsyncUnaryCall<TResponse>(
                Measured(call.ResponseAsync, context.Method, span, started), call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers,
                call.Dispose);
        }

        private static async Task<TResponse> Measured<TResponse>(Task<TResponse> answer, IMethod method, Activity? span, long started)
        {
            var status = StatusCode.OK;
            try
            {
                return await answer.ConfigureAwait(false);
            }
            catch (RpcException error)
            {
                status = error.StatusCode;
                span?.SetStatus(ActivityStatusCode.Error, error.Status.Detail);
                throw;
            }
            finally
            {
                span?.SetTag("rpc.grpc.status_code", (int)status).Dispose();
                Duration.Record(
                    Stopwatch.GetElapsedTime(started).TotalSeconds,
                    new TagList
                    {
                        { "rpc.service", method.ServiceName }, { "rpc.method", method.Name }, { "rpc.grpc.status_code", (int)status },
                    });
            }
        }
    }
}
