namespace Recsys.Torch.Tests.Distributed;

/// <summary>Ranks as threads of this process, each with its own store client and group.</summary>
internal static class Team
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static void Run(int size, Action<ProcessGroup> body)
    {
        using var server = new TCPStore("127.0.0.1", 0, is_master: true, Patience);
        var faults = new Exception?[size];
        var threads = Enumerable.Range(0, size).Select(rank => new Thread(() =>
        {
            try
            {
                using var group = new ProcessGroup(new TCPStore("127.0.0.1", server.Port, timeout: Patience), rank, size, timeout: Patience);
                using var scope = NewDisposeScope();
                body(group);
                using var work = group.Barrier();
                work.wait();
            }
            catch (Exception fault)
            {
                faults[rank] = fault;
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        var errors = faults.OfType<Exception>().ToList();
        if (errors.Count > 0)
        {
            throw new AggregateException(errors);
        }
    }

    /// <summary>Waits and disposes.</summary>
    public static void End(this Work work)
    {
        using (work)
        {
            work.wait();
        }
    }
}
