using System.Globalization;

namespace Recsys.Torch.Distributed;

/// <summary>What torchrun (or <c>recsys launch</c>, or a person) says about this process in its environment.</summary>
/// <param name="UsesAgentStore">The store is served by the launcher, and each restart has its own prefix in it.</param>
internal sealed record RankEnvironment(int Rank, int WorldSize, string MasterAddress, int MasterPort, bool UsesAgentStore, int RestartCount)
{
    /// <summary>Whether the environment asks for more than one rank.</summary>
    public static bool IsSet => Environment.GetEnvironmentVariable("WORLD_SIZE") is { Length: > 0 } size && size != "1";

    /// <exception cref="DistributedException">Configuration: names every variable that is missing or no number.</exception>
    public static RankEnvironment Read()
    {
        var faults = new List<string>();
        int Number(string name, int min, int max)
        {
            string? text = Environment.GetEnvironmentVariable(name);
            if (int.TryParse(text, CultureInfo.InvariantCulture, out int number) && number >= min && number <= max)
            {
                return number;
            }

            faults.Add(text is null ? $"{name} is not set" : $"{name} is '{text}', allowed are {min} to {max}");
            return min;
        }

        int size = Number("WORLD_SIZE", 1, 100_000), rank = Number("RANK", 0, size - 1), port = Number("MASTER_PORT", 1, 65_535);
        string? address = Environment.GetEnvironmentVariable("MASTER_ADDR");
        if (string.IsNullOrEmpty(address))
        {
            faults.Add("MASTER_ADDR is not set");
        }

        if (faults.Count > 0)
        {
            throw new DistributedException(DistributedFault.Configuration, $"The environment does not describe a rank: {string.Join("; ", faults)}. Start it by 'recsys launch --nproc N -- VERB …' or by torchrun.");
        }

        bool agent = string.Equals(Environment.GetEnvironmentVariable("TORCHELASTIC_USE_AGENT_STORE"), "True", StringComparison.OrdinalIgnoreCase);
        _ = int.TryParse(Environment.GetEnvironmentVariable("TORCHELASTIC_RESTART_COUNT"), CultureInfo.InvariantCulture, out int restarts);
        return new RankEnvironment(rank, size, address!, port, agent, restarts);
    }

    /// <summary>Opens the store that all ranks share.</summary>
    public TCPStore Store(TimeSpan timeout)
    {
        if (!UsesAgentStore)
        {
            return new TCPStore(MasterAddress, MasterPort, is_master: Rank == 0, timeout);
        }

        return new TCPStore(MasterAddress, MasterPort, is_master: false, timeout).WithPrefix($"/worker/attempt_{RestartCount}");
    }
}
