using System.Collections.Concurrent;
using System.Diagnostics;

namespace Recsys.Bench;

/// <summary>What calls took under one load.</summary>
/// <param name="Milliseconds">Of each call, ascending.</param>
/// <param name="Rate">Calls answered a second.</param>
internal sealed record ServingLoad(double[] Milliseconds, double Rate)
{
    /// <summary>The smallest time that the share <paramref name="q"/> of the calls do not exceed.</summary>
    public double Quantile(double q) =>
        Milliseconds[Math.Clamp((int)Math.Ceiling(q * Milliseconds.Length) - 1, 0, Milliseconds.Length - 1)];

    /// <summary>A closed loop: each client calls again as soon as it has its answer, and at least once, however short the time.</summary>
    /// <param name="call">Takes the number of the call.</param>
    public static async Task<ServingLoad> Closed(Func<int, Task> call, int clients, TimeSpan time, CancellationToken cancel)
    {
        var (times, next) = (new ConcurrentBag<double>(), -1);
        long started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(
            async () =>
            {
                do
                {
                    cancel.ThrowIfCancellationRequested();
                    long sent = Stopwatch.GetTimestamp();
                    await call(Interlocked.Increment(ref next));
                    times.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
                }
                while (Stopwatch.GetElapsedTime(started) < time);
            },
            cancel)));
        return Of(times, started);
    }

    /// <summary>An open loop: calls come as a Poisson process of a given rate, whatever the server does. A call's time counts from when it
    /// was to be sent, so that a server that lags is not spared.</summary>
    /// <param name="rate">Calls a second.</param>
    public static async Task<ServingLoad> Open(Func<int, Task> call, double rate, TimeSpan time, Random random, CancellationToken cancel)
    {
        var (times, calls) = (new ConcurrentBag<double>(), new List<Task>());
        long started = Stopwatch.GetTimestamp();
        for (double due = 0; due < time.TotalSeconds; due -= Math.Log(1 - random.NextDouble()) / rate)
        {
            cancel.ThrowIfCancellationRequested();
            var early = TimeSpan.FromSeconds(due) - Stopwatch.GetElapsedTime(started);
            if (early > TimeSpan.Zero)
            {
                await Task.Delay(early, cancel);
            }

            int number = calls.Count;
            double from = due;
            calls.Add(Task.Run(
                async () =>
                {
                    await call(number);
                    times.Add((Stopwatch.GetElapsedTime(started).TotalSeconds - from) * 1e3);
                },
                cancel));
        }

        await Task.WhenAll(calls);
        return Of(times, started);
    }

    private static ServingLoad Of(ConcurrentBag<double> times, long started) =>
        new([.. times.Order()], times.Count / Stopwatch.GetElapsedTime(started).TotalSeconds);
}
