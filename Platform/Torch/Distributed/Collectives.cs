using Recsys.Torch.Distributed;
using static Recsys.Torch.Distributed.NativeMethods;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>torch.distributed: the process's default group, by PyTorch's names. Thread-safe as far as the order of calls is.</summary>
    public static class distributed
    {
        private static ProcessGroup? _group;

        public static bool is_available() => rs_dist_backends() != 0;

        public static bool is_gloo_available() => (rs_dist_backends() & 1) != 0;

        public static bool is_nccl_available() => (rs_dist_backends() & 2) != 0;

        public static bool is_initialized() => Volatile.Read(ref _group) is not null;

        /// <summary>Whether the environment (torchrun's variables) makes this process one of several ranks.</summary>
        public static bool is_launched() => RankEnvironment.IsSet;

        /// <summary>Joins the group that RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT describe, or the one that the arguments do.</summary>
        /// <param name="backend">gloo or nccl; null: nccl where there are CUDA devices and libtorch has it, else gloo.</param>
        /// <param name="timeout">For meeting and for each collective; default 10 minutes. A rank that dies is noticed within a second all the same.</param>
        /// <param name="store">With rank and world_size, instead of the environment.</param>
        /// <exception cref="DistributedException">The environment is incomplete, not all ranks came, or there is a group already.</exception>
        public static void init_process_group(string? backend = null, TimeSpan? timeout = null, int world_size = -1, int rank = -1, TCPStore? store = null)
        {
            if (is_initialized())
            {
                throw new DistributedException(DistributedFault.Configuration, "There is a process group already; call destroy_process_group() first.");
            }

            backend ??= is_nccl_available() && cuda.is_available() ? "nccl" : "gloo";
            var limit = timeout ?? TimeSpan.FromMinutes(10);
            if (store is null)
            {
                var environment = RankEnvironment.Read();
                (rank, world_size, store) = (environment.Rank, environment.WorldSize, environment.Store(limit < TimeSpan.FromMinutes(2) ? limit : TimeSpan.FromMinutes(2)));
            }

            Volatile.Write(ref _group, new ProcessGroup(store, rank, world_size, backend, limit));
        }

        /// <summary>Takes leave of the other ranks.</summary>
        public static void destroy_process_group() => Interlocked.Exchange(ref _group, null)?.Dispose();

        /// <summary>0 where there is no group.</summary>
        public static int get_rank() => Volatile.Read(ref _group)?.Rank ?? 0;

        /// <summary>1 where there is no group.</summary>
        public static int get_world_size() => Volatile.Read(ref _group)?.Size ?? 1;

        public static string get_backend() => Group.Backend;

        /// <summary>Every rank's tensor becomes the ranks' sum, average, minimum or maximum.</summary>
        /// <returns>What to wait for with <paramref name="async_op"/>; else null, and it is done.</returns>
        public static Work? all_reduce(Tensor tensor, ReduceOp op = ReduceOp.SUM, bool async_op = false) => Finish(Group.AllReduce(tensor, op), async_op);

        /// <summary>Every rank's tensor becomes that of rank <paramref name="src"/>.</summary>
        public static Work? broadcast(Tensor tensor, int src, bool async_op = false) => Finish(Group.Broadcast(tensor, src), async_op);

        /// <param name="tensor_list">[ranks] tensors of <paramref name="tensor"/>'s shape, overwritten with all ranks' tensors in order.</param>
        public static Work? all_gather(IList<Tensor> tensor_list, Tensor tensor, bool async_op = false) => Finish(Group.AllGather(tensor_list, tensor), async_op);

        /// <param name="output">Overwritten with the reduction of all ranks' <paramref name="input_list"/>[this rank].</param>
        public static Work? reduce_scatter(Tensor output, IList<Tensor> input_list, ReduceOp op = ReduceOp.SUM, bool async_op = false) =>
            Finish(Group.ReduceScatter(output, input_list, op), async_op);

        /// <summary>Returns once every rank is here.</summary>
        public static Work? barrier(bool async_op = false) => Finish(Group.Barrier(), async_op);

        internal static ProcessGroup Group => Volatile.Read(ref _group)
            ?? throw new DistributedException(DistributedFault.Configuration, "There is no process group; call torch.distributed.init_process_group() first.");

        private static Work? Finish(Work work, bool async_op)
        {
            if (async_op)
            {
                return work;
            }

            using (work)
            {
                work.wait();
            }

            return null;
        }
    }
}
