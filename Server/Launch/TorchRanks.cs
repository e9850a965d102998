using Recsys.Jobs;
using Recsys.Torch;

namespace Recsys.Server.Launch;

/// <summary>The ranks of torch.distributed's default group, where the environment says that this process is one of them.</summary>
internal sealed class TorchRanks : IRanks
{
    /// <returns>Null: this process works alone.</returns>
    /// <exception cref="DistributedException">The environment is incomplete, or not all ranks came.</exception>
    public static TorchRanks? Join()
    {
        if (!torch.distributed.is_launched())
        {
            return null;
        }

        torch.distributed.init_process_group();
        return new TorchRanks();
    }

    public bool IsMain => torch.distributed.get_rank() == 0;

    public bool Agree(bool verdict)
    {
        using var scope = torch.NewDisposeScope();
        var word = torch.tensor(new[] { verdict ? 1L : 0L });
        torch.distributed.broadcast(word, 0);
        return word.item<long>() == 1;
    }

    /// <summary>Takes leave after success. A rank that fails just ends: the others shall notice.</summary>
    public static void Leave() => torch.distributed.destroy_process_group();
}
