using Recsys.Mpi;
using Recsys.Torch;

namespace Recsys.Cli.Terminal;

/// <summary>The processes that mpirun has started together with this one.</summary>
internal static class Processes
{
    private static MpiWorld? _world;

    /// <summary>Joins them; a process that was started alone loads no MPI. All but the first are silent on standard output.</summary>
    /// <exception cref="MpiException">There are others, and no MPICH to meet them by.</exception>
    public static Ranks Join()
    {
        if (MpiWorld.Launched == 1)
        {
            return Ranks.Alone;
        }

        var world = _world = MpiWorld.Join();
        if (world.Rank > 0)
        {
            Console.SetOut(TextWriter.Null);
        }

        return new Ranks(world.Rank, world.Size, world.SumFloats, world.SumDoubles, world.Broadcast, world.Barrier);
    }

    /// <summary>All have done their work. A rank that ends without this ends the others.</summary>
    public static void Leave() => _world?.Leave();
}
