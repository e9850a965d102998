using Recsys.Torch.Native;
using static Recsys.Torch.Native.Exports;

namespace Recsys.Torch;

public static unsafe partial class torch
{
    /// <summary>Seeds the default generators of all devices and returns the CPU's.</summary>
    public static Generator manual_seed(long seed)
    {
        Check.Ok(rs_manual_seed((ulong)seed), "manual_seed");
        return Generator.Default;
    }

    public static Generator default_generator => Generator.Default;

    public static class random
    {
        public static Generator manual_seed(long seed) => torch.manual_seed(seed);

        public static Tensor get_rng_state() => Generator.Default.get_state();

        public static void set_rng_state(Tensor new_state) => Generator.Default.set_state(new_state);
    }

    /// <summary>A random stream of its own. The same seed gives the same numbers on a CPU, whatever the number of threads.</summary>
    public sealed class Generator : IDisposable
    {
        private nint _handle;

        public Generator(ulong seed = 0, Device? device = null)
        {
            this.device = device ?? CPU;
            void* g;
            Check.Ok(rs_generator_new(seed, this.device.Packed, &g), "Generator");
            _handle = (nint)g;
        }

        private Generator(nint handle, Device device)
        {
            _handle = handle;
            this.device = device;
        }

        ~Generator() => Free();

        /// <summary>The CPU's default generator, which operators use where none is passed.</summary>
        public static Generator Default => DefaultOf(CPU);

        /// <summary>A device's default generator.</summary>
        internal static Generator DefaultOf(Device device)
        {
            void* g;
            Check.Ok(rs_generator_default(device.Packed, &g), "default_generator");
            return new Generator((nint)g, device);
        }

        public Device device { get; }

        internal nint Handle => _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(Generator));

        public Generator manual_seed(long seed)
        {
            Check.Ok(rs_generator_seed(Handle, (ulong)seed), "Generator.manual_seed");
            return this;
        }

        public long initial_seed()
        {
            ulong seed;
            Check.Ok(rs_generator_initial_seed(Handle, &seed), "Generator.initial_seed");
            return (long)seed;
        }

        /// <summary>The whole state as a byte tensor, for a checkpoint.</summary>
        public Tensor get_state()
        {
            Out state;
            Check.Ok(rs_generator_get_state(Handle, &state), "Generator.get_state");
            return Tensor.Own(state);
        }

        public void set_state(Tensor value)
        {
            var handle = value.Hold();
            try
            {
                Check.Ok(rs_generator_set_state(Handle, handle), "Generator.set_state");
            }
            finally
            {
                value.Release();
            }
        }

        public void Dispose()
        {
            Free();
            GC.SuppressFinalize(this);
        }

        private void Free()
        {
            var handle = Interlocked.Exchange(ref _handle, 0);
            if (handle != 0)
            {
                rs_generator_free(handle);
            }
        }
    }
}
