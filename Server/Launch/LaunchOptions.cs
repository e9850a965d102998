using Recsys.Catalog;

namespace Recsys.Server.Launch;

/// <summary>How ranks are started.</summary>
/// <param name="Ranks">Processes, 1 to 1024.</param>
/// <param name="MaxRestarts">How often all are started anew after one has died, 0 to 1000.</param>
/// <param name="Verb">What each of them runs.</param>
internal sealed record LaunchOptions(int Ranks, int MaxRestarts, IReadOnlyList<string> Verb)
{
    public void Validate()
    {
        if (Ranks is < 1 or > 1024 || MaxRestarts is < 0 or > 1000)
        {
            throw CatalogException.Invalid($"--nproc {Ranks}, --max-restarts {MaxRestarts}: allowed are 1 to 1024 and 0 to 1000.");
        }
    }

    /// <summary>Cores for each rank, unless OMP_NUM_THREADS says otherwise: OpenMP threads of two trainings that share a core spend their time waiting for each other.</summary>
    public int Threads => Math.Max(1, Environment.ProcessorCount / Ranks);
}
