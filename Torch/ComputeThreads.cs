namespace Recsys.Torch;

/// <summary>Work in independent pieces: a thread of its own for each core, and within a piece no further ones.</summary>
public static class ComputeThreads
{
    /// <summary>Starts a thread whose operators no other core shares.</summary>
    /// <param name="body">Must not fail.</param>
    public static Thread Start(string name, Action body)
    {
        int threads = get_num_threads();
        using var begun = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            _ = get_num_threads(); // a thread takes over what holds for all when it first asks: not after the next line
            set_num_threads(1);
            begun.Set();
            body();
        }) { IsBackground = true, Name = name };
        thread.Start();
        begun.Wait();
        set_num_threads(threads); // again what threads take that begin to compute later
        return thread;
    }

    /// <summary>
    /// Runs pieces 0 to n − 1 on as many threads as libtorch computes with. Many small operators, each shared by all cores, wait for one
    /// another more than they compute; whole pieces do not.
    /// </summary>
    /// <param name="piece">Touches nothing that another piece writes.</param>
    public static void Each(int n, Action<int> piece, CancellationToken cancel)
    {
        int threads = get_num_threads();
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancel };
        Parallel.For(
            0, n, options,
            () =>
            {
                set_num_threads(1); // of this thread, and of those that begin to compute meanwhile
                return 0;
            },
            (at, _, nothing) =>
            {
                piece(at);
                return nothing;
            },
            _ => set_num_threads(threads));
    }
}
