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

    private static void Sum()
    {
        var x = tensor(new[] { distributed.get_rank() + 1f });
        distributed.all_reduce(x);
        Console.WriteLine("sum " + x.item<float>().ToString(CultureInfo.InvariantCulture));
    }
}
