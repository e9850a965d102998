using Recsys.Torch.Native;
using static Recsys.Torch.Native.Exports;

namespace Recsys.Torch;

public enum DeviceType
{
    CPU = 0,
    CUDA = 1,
}

public static partial class torch
{
    public static readonly Device CPU = new(DeviceType.CPU);
    public static readonly Device CUDA = new(DeviceType.CUDA);

    public static Device device(string description) => new(description);

    public static Device device(DeviceType type, int index = -1) => new(type, index);

    public static bool cuda_is_available() => cuda.is_available();

    /// <summary>Where a tensor lives: <c>cpu</c>, <c>cuda</c> or <c>cuda:1</c>.</summary>
    public sealed class Device : IEquatable<Device>
    {
        public Device(DeviceType type, int index = -1)
        {
            this.type = type;
            this.index = index;
        }

        public Device(string description)
        {
            ArgumentNullException.ThrowIfNull(description);
            var parts = description.Split(':');
            type = parts[0].ToUpperInvariant() switch
            {
                "CPU" => DeviceType.CPU,
                "CUDA" => DeviceType.CUDA,
                _ => throw new ArgumentException($"'{description}' is not a device; use cpu, cuda or cuda:N.", nameof(description)),
            };
            index = parts.Length == 1 ? -1
                : parts.Length == 2 && int.TryParse(parts[1], out var i) && i >= 0 ? i
                : throw new ArgumentException($"'{description}' is not a device; use cpu, cuda or cuda:N.", nameof(description));
        }

        public DeviceType type { get; }

        /// <summary>The ordinal; -1 is the current device of the type.</summary>
        public int index { get; }

        internal long Packed => ((long)type << 32) | (uint)index;

        public static implicit operator Device(string description) => new(description);

        public bool Equals(Device? other) =>
            other is not null && type == other.type && (index == other.index || (type == DeviceType.CPU && index <= 0 && other.index <= 0));

        public override bool Equals(object? obj) => Equals(obj as Device);

        public override int GetHashCode() => type == DeviceType.CPU ? 0 : HashCode.Combine(type, index);

        public override string ToString() => type.ToString().ToLowerInvariant() + (index >= 0 && type != DeviceType.CPU ? $":{index}" : "");

        internal static Device Unpack(long packed) => packed == CPU.Packed ? CPU : new((DeviceType)(packed >> 32), (int)packed);
    }

    public static unsafe partial class cuda
    {
        public static bool is_available() => device_count() > 0;

        public static int device_count()
        {
            int n;
            Check.Ok(rs_cuda_device_count(&n), "cuda.device_count");
            return n;
        }
    }
}
