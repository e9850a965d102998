using Recsys.Store.Versions;

namespace Recsys.Store.Tests;

public class GroupCommitTests
{
    [Fact]
    public async Task What_waits_while_one_is_written_is_written_together_in_its_order()
    {
        using var gate = new SemaphoreSlim(0);
        using var begun = new SemaphoreSlim(0);
        var writes = new List<int[]>();
        var commits = new GroupCommit<int>(values =>
        {
            writes.Add([.. values]);
            begun.Release();
            gate.Wait();
        });
        var first = commits.WriteAsync([1, 2], default);
        await begun.WaitAsync();
        using var stop = new CancellationTokenSource();
        Task[] others = [commits.WriteAsync([3], default), commits.WriteAsync([4, 5], stop.Token), commits.WriteAsync([6], default)];
        Assert.False(first.IsCompleted);
        await stop.CancelAsync();
        gate.Release(2);
        await first;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => others[1]);
        await Task.WhenAll(others[0], others[2]);
        Assert.Equal([[1, 2], [3, 6]], writes);
    }

    [Fact]
    public async Task A_write_that_fails_fails_its_callers_and_no_later_one()
    {
        int calls = 0;
        var commits = new GroupCommit<int>(_ =>
        {
            if (++calls == 1)
            {
                throw new IOException("full");
            }
        });
        await Assert.ThrowsAsync<IOException>(() => commits.WriteAsync([1], default));
        await commits.WriteAsync([1], default);
    }

    [Fact]
    public async Task Many_callers_lose_nothing()
    {
        var written = new List<int>();
        var commits = new GroupCommit<int>(values =>
        {
            written.AddRange(values);
            Thread.Yield();
        });
        await Task.WhenAll(Enumerable.Range(0, 2000).Select(i => Task.Run(() => commits.WriteAsync([i], default))));
        Assert.Equal(Enumerable.Range(0, 2000), written.Order());
    }
}
