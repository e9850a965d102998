using System.Runtime.InteropServices;
using Recsys.Server.Terminal;
using Recsys.Torch;

namespace Recsys.Server.Launch;

/// <summary>
/// Starts the ranks, and when one dies stops all and starts all anew; what they do then is to go on from their checkpoints. Serves the
/// ranks' store itself, as torchrun does, so that no port has to be guessed and none is lost between two attempts.
/// </summary>
internal sealed class Supervisor(LaunchOptions options, Action<string> say)
{
    /// <summary>After the first has died: for the others to find out and say so, and then for SIGTERM to be heard.</summary>
    private static readonly TimeSpan Notice = TimeSpan.FromSeconds(3), Grace = TimeSpan.FromSeconds(10);

    /// <returns>The exit code: 0 once all ranks have ended well, else that of the rank that failed first.</returns>
    public async Task<int> RunAsync(CancellationToken cancel)
    {
        using var store = new TCPStore("127.0.0.1", 0, is_master: true);
        for (int restarts = 0; ; restarts++)
        {
            int code = await AttemptAsync(store.Port, restarts, cancel);
            if (code == ExitCode.Done || cancel.IsCancellationRequested || !MayPass(code))
            {
                return cancel.IsCancellationRequested ? ExitCode.Cancelled : code;
            }

            if (restarts == options.MaxRestarts)
            {
                say($"given up after {restarts} restarts (--max-restarts)");
                return code;
            }

            say($"restart {restarts + 1} of at most {options.MaxRestarts}: all ranks go on from their last checkpoint");
        }
    }

    /// <summary>A refusal (bad option, missing file, failed gate) would come again; a death need not.</summary>
    private static bool MayPass(int code) =>
        code is not (ExitCode.Usage or ExitCode.InvalidArgument or ExitCode.NotFound or ExitCode.Precondition or ExitCode.DataLoss or ExitCode.GateFailed);

    private async Task<int> AttemptAsync(int port, int restarts, CancellationToken cancel)
    {
        var ranks = new List<RankChild>();
        try
        {
            for (int rank = 0; rank < options.Ranks; rank++)
            {
                ranks.Add(new RankChild(rank, options, port, restarts));
            }

            var ended = new List<(int Rank, int Code)>();
            await EndedAsync(ranks, ended, code => code != ExitCode.Done, Timeout.InfiniteTimeSpan, cancel);
            if (cancel.IsCancellationRequested)
            {
                say("stopping all ranks");
                await StopAsync(ranks, ended);
                return ExitCode.Cancelled;
            }

            if (ended.TrueForAll(end => end.Code == ExitCode.Done))
            {
                return ExitCode.Done;
            }

            await EndedAsync(ranks, ended, _ => false, Notice, cancel);
            var cause = ended.Where(end => end.Code != ExitCode.Done).OrderBy(end => end.Code == ExitCode.Unavailable).First(); // Unavailable: lost another rank
            say($"rank {cause.Rank} {(cause.Code > 128 ? $"was killed by signal {cause.Code - 128}" : $"ended with exit code {cause.Code}")}; stopping the others");
            await StopAsync(ranks, ended);
            return cause.Code;
        }
        finally
        {
            ranks.ForEach(rank => rank.Dispose());
        }
    }

    private static async Task StopAsync(List<RankChild> ranks, List<(int Rank, int Code)> ended)
    {
        ranks.ForEach(rank => rank.Signal(PosixSignal.SIGTERM));
        await EndedAsync(ranks, ended, _ => false, Grace, CancellationToken.None);
        ranks.ForEach(rank => rank.Kill());
        await Task.WhenAll(ranks.Select(rank => rank.Exit));
    }

    /// <summary>Notes who ends, in order, until all have, one has in a way that <paramref name="enough"/> names, or the time is up.</summary>
    private static async Task EndedAsync(List<RankChild> ranks, List<(int Rank, int Code)> ended, Func<int, bool> enough, TimeSpan limit, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var over = Task.Delay(limit, stop.Token);
        while (ended.Count < ranks.Count)
        {
            var open = ranks.FindAll(rank => !ended.Exists(end => end.Rank == rank.Rank));
            var first = await Task.WhenAny([over, .. open.Select(rank => rank.Exit)]);
            if (first == over)
            {
                break;
            }

            var done = open.First(rank => rank.Exit == first);
            ended.Add((done.Rank, await done.Exit));
            if (enough(ended[^1].Code))
            {
                break;
            }
        }

        await stop.CancelAsync();
    }
}
