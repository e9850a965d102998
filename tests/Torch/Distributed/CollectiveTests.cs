namespace Recsys.Torch.Tests.Distributed;

/// <summary>Each collective against what it means, on three ranks.</summary>
public sealed class CollectiveTests
{
    private const int Size = 3;

    [Theory]
    [InlineData(ReduceOp.SUM, 6f, 60f)]
    [InlineData(ReduceOp.AVG, 2f, 20f)]
    [InlineData(ReduceOp.PRODUCT, 6f, 6000f)]
    [InlineData(ReduceOp.MIN, 1f, 10f)]
    [InlineData(ReduceOp.MAX, 3f, 30f)]
    public void All_reduce_leaves_the_reduction_on_every_rank(ReduceOp op, float first, float second) => Team.Run(Size, group =>
    {
        var x = tensor(new[] { group.Rank + 1f, 10f * (group.Rank + 1) });
        group.AllReduce(x, op).End();
        Assert.Equal([first, second], x.data<float>().ToArray());
    });

    [Fact]
    public void Integers_and_doubles_are_summed_as_they_are() => Team.Run(Size, group =>
    {
        var whole = tensor(new[] { 1L << 40, (long)group.Rank });
        var real = tensor(new[] { 0.1 * group.Rank });
        group.AllReduce(whole).End();
        group.AllReduce(real).End();
        Assert.Equal([3L << 40, 3L], whole.data<long>().ToArray());
        Assert.Equal(0.3, real.item<double>(), 15);
    });

    [Fact]
    public void Broadcast_gives_every_rank_the_sources_values() => Team.Run(Size, group =>
    {
        var x = full([2, 5], group.Rank, ScalarType.Float32);
        group.Broadcast(x, source: 2).End();
        Assert.All(x.data<float>().ToArray(), value => Assert.Equal(2f, value));
    });

    [Fact]
    public void All_gather_brings_every_ranks_tensor_in_order() => Team.Run(Size, group =>
    {
        var all = Enumerable.Range(0, Size).Select(_ => zeros(2, 2)).ToList();
        group.AllGather(all, full([2, 2], group.Rank * 7, ScalarType.Float32)).End();
        for (int rank = 0; rank < Size; rank++)
        {
            Assert.All(all[rank].data<float>().ToArray(), value => Assert.Equal(rank * 7f, value));
        }
    });

    [Theory]
    [InlineData(ReduceOp.SUM, 1f)]
    [InlineData(ReduceOp.AVG, 3f)]
    public void Reduce_scatter_leaves_each_rank_its_part(ReduceOp op, float divisor) => Team.Run(Size, group =>
    {
        var inputs = Enumerable.Range(0, Size).Select(part => full([4], (part * 10) + group.Rank, ScalarType.Float32)).ToList();
        var mine = zeros(4);
        group.ReduceScatter(mine, inputs, op).End();
        Assert.All(mine.data<float>().ToArray(), value => Assert.Equal(((3 * group.Rank * 10) + 3) / divisor, value, 5));
    });

    [Fact]
    public void Nobody_passes_a_barrier_before_the_last_has_come()
    {
        int arrived = 0;
        Team.Run(Size, group =>
        {
            Interlocked.Increment(ref arrived);
            group.Barrier().End();
            Assert.Equal(Size, Volatile.Read(ref arrived));
        });
    }

    [Fact]
    public void Several_collectives_may_be_under_way_at_once() => Team.Run(2, group =>
    {
        var tensors = Enumerable.Range(0, 20).Select(i => full([1000], i + group.Rank, ScalarType.Float32)).ToList();
        var works = tensors.ConvertAll(x => group.AllReduce(x));
        works.ForEach(work => work.End());
        for (int i = 0; i < tensors.Count; i++)
        {
            Assert.Equal((2f * i) + 1, tensors[i][999].item<float>());
        }
    });

    [Fact]
    public void A_store_keeps_values_and_counts()
    {
        using var server = new TCPStore("127.0.0.1", 0, is_master: true);
        using var client = new TCPStore("127.0.0.1", server.Port);
        using var below = client.WithPrefix("attempt_1");
        server.set("key", new string('x', 1000));
        below.set("key", "other");
        Assert.Equal(1000, client.get("key").Length);
        Assert.Equal("other", System.Text.Encoding.UTF8.GetString(below.get("key")));
        Assert.Equal(5, client.add("count", 5));
        Assert.Equal(3, server.add("count", -2));
    }

    [Fact]
    public void Wrong_calls_are_refused_with_what_is_allowed() => Team.Run(2, group =>
    {
        Assert.Contains("0 to 1", Assert.Throws<DistributedException>(() => group.Broadcast(ones(1), 2)).Message, StringComparison.Ordinal);
        Assert.Equal(DistributedFault.Configuration, Assert.Throws<DistributedException>(() => group.AllGather([zeros(1)], zeros(1))).Fault);
        Assert.Equal(DistributedFault.Configuration, Assert.Throws<DistributedException>(() => group.AllReduce(ones(2, ScalarType.Int64), ReduceOp.AVG)).Fault);
        Assert.Contains("contiguous", Assert.Throws<DistributedException>(() => group.AllReduce(ones(4, 3).t())).Message, StringComparison.Ordinal);
    });

    [Fact]
    public void A_collective_that_a_rank_does_not_join_ends_at_the_groups_timeout()
    {
        using var server = new TCPStore("127.0.0.1", 0, is_master: true);
        using var waited = new ManualResetEventSlim();
        DistributedException? late = null;
        var threads = Enumerable.Range(0, 2).Select(rank => new Thread(() =>
        {
            using var group = new ProcessGroup(new TCPStore("127.0.0.1", server.Port), rank, 2, timeout: TimeSpan.FromSeconds(5));
            if (rank == 1)
            {
                waited.Wait();
                return;
            }

            using var work = group.AllReduce(ones(1));
            late = Assert.Throws<DistributedException>(() => work.wait(TimeSpan.FromMilliseconds(200)));
            waited.Set();
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Equal(DistributedFault.Timeout, late!.Fault);
        Assert.Contains("0.2 s", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_incomplete_environment_names_all_that_is_missing()
    {
        var fault = Assert.Throws<DistributedException>(() => distributed.init_process_group());
        Assert.Equal(DistributedFault.Configuration, fault.Fault);
        Assert.All(new[] { "RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT" }, name => Assert.Contains(name, fault.Message, StringComparison.Ordinal));
        Assert.False(distributed.is_initialized());
    }
}
