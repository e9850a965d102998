using System.Security.Cryptography;
using System.Text;
using Recsys.Torch.Distributed;
using Recsys.Torch.Native;
using static Recsys.Torch.Distributed.NativeMethods;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// One training on all ranks: each computes the gradients of its share of a batch, and all take the same step with their sum. Scale each
/// rank's loss so that the ranks' sum is the loss of the whole batch (divide by the whole batch's count). Without a process group it is a
/// training on one rank and does nothing. As in DistributedDataParallel, gradients travel in flat buckets while backward still runs.
/// </summary>
public sealed unsafe class DataParallel : IDisposable
{
    /// <summary>25 MB, as in PyTorch.</summary>
    public const long DefaultBucketBytes = 25L << 20;

    private readonly ProcessGroup? _group;
    private nint _reducer;

    /// <summary>Takes rank 0's values of the parameters on every rank.</summary>
    /// <param name="parameters">What is trained, in the same order on all ranks; those that require no gradient are only made equal; without any that does, that is all.</param>
    /// <param name="group">Null: the default group, or one rank where there is none.</param>
    /// <param name="bucketBytes">A smaller bucket starts sooner, a larger one costs fewer messages.</param>
    /// <param name="overlap">Sum a bucket as soon as backward has filled it, rather than after backward.</param>
    public DataParallel(IEnumerable<Tensor> parameters, ProcessGroup? group = null, long bucketBytes = DefaultBucketBytes, bool overlap = true)
    {
        _group = group ?? (distributed.is_initialized() && distributed.get_world_size() > 1 ? distributed.Group : null);
        if (_group is null)
        {
            return;
        }

        var all = parameters.ToList();
        Synchronise(all);
        var trained = all.FindAll(parameter => parameter.requires_grad);
        if (trained.Count == 0)
        {
            return;
        }

        using var held = new HeldTensors(trained);
        fixed (nint* list = held.Handles)
        {
            nint reducer;
            Ok(rs_reducer_new(_group.Handle, list, held.Count, bucketBytes, overlap ? 1 : 0, &reducer), "DataParallel");
            _reducer = reducer;
        }
    }

    ~DataParallel() => Free();

    public int Rank => _group?.Rank ?? 0;

    public int WorldSize => _group?.Size ?? 1;

    /// <summary>Whether there is more than one rank.</summary>
    public bool IsDistributed => WorldSize > 1;

    /// <summary>Messages of a step.</summary>
    public int Buckets
    {
        get
        {
            int count = 0;
            if (_reducer != 0)
            {
                Ok(rs_reducer_buckets(_reducer, &count), "DataParallel.Buckets");
            }

            return count;
        }
    }

    /// <summary>This rank's part of <paramref name="count"/> rows: contiguous, as even as can be, in the order of ranks.</summary>
    public (int From, int To) Share(int count) => ((int)((long)count * Rank / WorldSize), (int)((long)count * (Rank + 1) / WorldSize));

    /// <summary>Every rank takes rank 0's values.</summary>
    public void Synchronise(IEnumerable<Tensor> tensors)
    {
        if (_group is null)
        {
            return;
        }

        using var _ = no_grad();
        foreach (var tensor in tensors)
        {
            using var scope = NewDisposeScope();
            var dense = tensor.detach().contiguous();
            using (var work = _group.Broadcast(dense, 0))
            {
                work.wait();
            }

            tensor.copy_(dense);
        }
    }

    /// <summary>Before each backward.</summary>
    public void Prepare()
    {
        if (_reducer != 0)
        {
            _group!.Alive();
            Ok(rs_reducer_prepare(_reducer), "DataParallel.Prepare");
        }
    }

    /// <summary>After it: every gradient becomes the sum over the ranks; one that no rank has stays absent.</summary>
    /// <param name="sums">Numbers to be summed on the way (losses, counts).</param>
    /// <returns>The sums over the ranks.</returns>
    /// <exception cref="DistributedException">A rank is lost.</exception>
    public double[] Finish(params double[] sums)
    {
        if (_reducer == 0)
        {
            return sums;
        }

        _group!.Alive();
        var result = (double[])sums.Clone();
        Outcome outcome;
        fixed (double* numbers = result)
        {
            Ok(rs_reducer_finish(_reducer, (long)_group.Timeout.TotalMilliseconds, numbers, result.Length, &outcome), "DataParallel.Finish");
        }

        return outcome == Outcome.Done ? result : throw _group.Failure(outcome, "the sum of gradients", _group.Timeout);
    }

    /// <summary>Each rank's tensor becomes the ranks' sum.</summary>
    public void Sum(Tensor tensor)
    {
        if (_group is not null)
        {
            using var work = _group.AllReduce(tensor);
            work.wait();
        }
    }

    /// <summary>Refuses to train on ranks that were given different things.</summary>
    /// <param name="what">What is compared, for the error.</param>
    /// <param name="value">Any text that stands for it.</param>
    /// <exception cref="DistributedException">Mismatch.</exception>
    public void RequireSame(string what, string value)
    {
        if (_group is null)
        {
            return;
        }

        using var scope = NewDisposeScope();
        long mine = BitConverter.ToInt64(SHA256.HashData(Encoding.UTF8.GetBytes(value)));
        var own = tensor(new[] { mine });
        var all = Enumerable.Range(0, WorldSize).Select(_ => zeros_like(own)).ToList();
        using (var work = _group.AllGather(all, own))
        {
            work.wait();
        }

        int odd = all.FindIndex(other => other.item<long>() != all[0].item<long>());
        if (odd >= 0)
        {
            throw new DistributedException(DistributedFault.Mismatch, $"Rank {odd} has another {what} than rank 0: give every rank the same data, options and seed.", odd);
        }
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        var reducer = Interlocked.Exchange(ref _reducer, 0);
        if (reducer != 0)
        {
            rs_reducer_free(reducer);
        }
    }
}
