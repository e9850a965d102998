using System.Diagnostics;
using System.Globalization;

namespace Recsys.Torch.Tests.Distributed;

/// <summary>What this assembly does as a process of its own: one rank, by torchrun's environment variables.</summary>
internal static class RankProgram
{
    public static int Main(string[] arguments)
    {
        if (arguments is not ["rank", var play])
        {
            return 2;
        }

        try
        {
            distributed.init_process_group(timeout: TimeSpan.FromSeconds(60));
            using var scope = NewDisposeScope();
            switch (play)
            {
                case "loop":
                    Loop();
                    break;
                case "alone":
                    Alone();
                    break;
                case "overlap":
                    Overlap();
                    break;
                case "sum":
                    Sum();
                    break;
            }

            distributed.destroy_process_group();
            return 0;
        }
        catch (DistributedException fault)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fault {fault.Fault} {fault.Peer?.ToString(CultureInfo.InvariantCulture) ?? "-"} {Stopwatch.GetTimestamp()}"));
            Console.Error.WriteLine(fault);
            return 7;
        }
    }

    /// <summary>All-reduces until somebody dies.</summary>
    private static void Loop()
    {
        var x = ones(1 << 18);
        for (int i = 0; ; i++)
        {
            distributed.all_reduce(x, ReduceOp.AVG);
            if (i == 20)
            {
                Console.WriteLine("ready");
            }
        }
    }

    /// <summary>Rank 0 waits for the others, who are alive and never come.</summary>
    private static void Alone()
    {
        distributed.barrier();
        Console.WriteLine("ready");
        if (distributed.get_rank() > 0)
        {
            Console.In.ReadLine();
        }

        distributed.all_reduce(ones(1));
    }

    /// <summary>Median step of a 13 M parameter stack at 512 rows a rank: alone (no sums), sums behind backward, sums beside it; rounds interleaved.</summary>
    private static void Overlap()
    {
        using var network = Sequential([.. Enumerable.Range(0, 12).Select(i => ($"l{i}", (Module<Tensor, Tensor>)Linear(1024, 1024)))]);
        var parameters = network.parameters().ToList();
        using var behind = new DataParallel(parameters, bucketBytes: 5 << 20, overlap: false);
        using var beside = new DataParallel(parameters, bucketBytes: 5 << 20, overlap: true);
        using var optimizer = optim.AdamW(parameters, 1e-4);
        var x = randn(512, 1024);
        var times = new List<double>[] { [], [], [] };
        for (int round = 0; round < 16; round++)
        {
            foreach (var (way, parallel) in new[] { (0, (DataParallel?)null), (1, behind), (2, beside) })
            {
                using var scope = NewDisposeScope();
                distributed.barrier();
                long started = Stopwatch.GetTimestamp();
                optimizer.zero_grad();
                parallel?.Prepare();
                network.forward(x).square().mean().backward();
                parallel?.Finish();
                optimizer.step();
                times[way].Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }
        }

        var medians = times.Select(all => all.Skip(2).Order().ElementAt(7)).ToArray();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ms a step: without sums {medians[0]:F1}, sums behind backward {medians[1]:F1}, beside it {medians[2]:F1}"));
    }

    private static void Sum()
    {
        var x = tensor(new[] { distributed.get_rank() + 1f });
        distributed.all_reduce(x);
        Console.WriteLine("sum " + x.item<float>().ToString(CultureInfo.InvariantCulture));
    }
}
