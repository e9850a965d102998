using Recsys.Torch;

namespace Recsys.Mpi.Tests;

/// <summary>What mpirun starts: one rank that does one of the things below and writes what came out of it.</summary>
internal static class Worker
{
    /// <param name="arguments">What to do, and a folder.</param>
    public static int Main(string[] arguments)
    {
        var (task, folder) = (arguments[0], arguments[1]);
        set_num_threads(1);
        var world = MpiWorld.Launched > 1 ? MpiWorld.Join() : null;
        var ranks = world is null
            ? Ranks.Alone
            : new Ranks(world.Rank, world.Size, world.SumFloats, world.SumDoubles, world.Broadcast, world.Barrier);
        string own = Directory.CreateDirectory(Path.Combine(folder, $"rank{world?.Rank ?? 0}")).FullName;
        switch (task)
        {
            case "calls":
                Calls(world!, ranks, own);
                break;
            case "train":
                Trainings.Run(ranks, own);
                break;
            case "abort":
                AbortOnRankOne(world!);
                break;
            case "hang":
                Hang(world!, own);
                break;
            default:
                return 2;
        }

        world?.Leave();
        return 0;
    }

    /// <summary>Each line is one call's outcome on this rank.</summary>
    private static void Calls(MpiWorld world, Ranks ranks, string own)
    {
        using var scope = NewDisposeScope();
        float mine = world.Rank + 1;
        var strided = (full([3, 2], mine) * tensor(new float[] { 1, 10 })).t(); // [2, 3]: not dense
        var given = full([2], mine, ScalarType.Int64);
        var weight = new TorchSharp.Modules.Parameter(zeros(2));
        (weight * mine).sum().backward();
        ranks.SumGradients([weight, new TorchSharp.Modules.Parameter(zeros(1))]); // the second has no gradient
        ranks.Broadcast(given);
        File.WriteAllLines(Path.Combine(own, "calls"),
        [
            $"rank {world.Rank} of {world.Size}, first {ranks.First}",
            $"floats {Text(ranks.Sum(full([3], mine)))}",
            $"doubles {Text(ranks.Sum(full([1], mine + 1e-12, ScalarType.Float64)))}",
            $"strided {Text(ranks.Sum(strided).contiguous())}",
            $"large {ranks.Sum(full([5_000_000], mine)).sum().ToDouble()}",
            $"number {ranks.Sum(mine / 3.0):R}",
            $"gradients {Text(weight.grad!)}",
            $"broadcast {Text(given)}",
            $"share of 7 {string.Join(' ', ranks.Share(7))}",
            $"alike {Refusal(() => ranks.CheckAlike(4, "the step"))}",
            $"unlike {Refusal(() => ranks.CheckAlike(mine, "the step"))}",
            $"integers {Refusal(() => ranks.Sum(given))}",
            $"null reference {Refusal(() => ((string)null!).Trim())}",
            $"turns {Turns(ranks, own)}",
        ]);
    }

    private static string Turns(Ranks ranks, string own)
    {
        string file = Path.Combine(Path.GetDirectoryName(own)!, "turns");
        return ranks.FirstBeforeOthers(() =>
        {
            bool found = File.Exists(file);
            File.AppendAllText(file, "x");
            return found ? "found it" : "wrote it";
        });
    }

    private static void AbortOnRankOne(MpiWorld world)
    {
        if (world.Rank == 1)
        {
            MpiWorld.Abort(37);
        }

        world.SumDoubles(0, 0);
        world.Barrier(); // for ever, were rank 1's end not theirs
    }

    private static void Hang(MpiWorld world, string own)
    {
        File.WriteAllText(Path.Combine(own, "process"), $"{Environment.ProcessId}");
        world.Barrier();
        while (world.Rank == 1)
        {
        }

        world.Barrier();
    }

    private static string Text(Tensor tensor) =>
        string.Join(' ', tensor.to(ScalarType.Float64).data<double>().ToArray().Select(value => value.ToString("R")));

    private static string Refusal(Action call)
    {
        try
        {
            call();
            return "none";
        }
        catch (Exception e) when (e is TorchException or NullReferenceException)
        {
            return e.Message;
        }
    }
}
