using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Beyond the edges their mirror image.</summary>
            public static ReflectionPad1d ReflectionPad1d(long padding) => new([padding, padding]);

            /// <inheritdoc cref="ReflectionPad1d(long)"/>
            public static ReflectionPad1d ReflectionPad1d((long, long) padding) => new([padding.Item1, padding.Item2]);

            /// <summary>Beyond the edges their mirror image.</summary>
            public static ReflectionPad2d ReflectionPad2d(long padding) => new([padding, padding, padding, padding]);

            /// <inheritdoc cref="ReflectionPad2d(long)"/>
            public static ReflectionPad2d ReflectionPad2d((long, long, long, long) padding) => new([padding.Item1, padding.Item2, padding.Item3, padding.Item4]);

            /// <summary>Beyond the edges their mirror image.</summary>
            public static ReflectionPad3d ReflectionPad3d(long padding) => new([padding, padding, padding, padding, padding, padding]);

            /// <inheritdoc cref="ReflectionPad3d(long)"/>
            public static ReflectionPad3d ReflectionPad3d((long, long, long, long, long, long) padding) => new([padding.Item1, padding.Item2, padding.Item3, padding.Item4, padding.Item5, padding.Item6]);

            /// <summary>Beyond the edges their values.</summary>
            public static ReplicationPad1d ReplicationPad1d(long padding) => new([padding, padding]);

            /// <inheritdoc cref="ReplicationPad1d(long)"/>
            public static ReplicationPad1d ReplicationPad1d((long, long) padding) => new([padding.Item1, padding.Item2]);

            /// <summary>Beyond the edges their values.</summary>
            public static ReplicationPad2d ReplicationPad2d(long padding) => new([padding, padding, padding, padding]);

            /// <inheritdoc cref="ReplicationPad2d(long)"/>
            public static ReplicationPad2d ReplicationPad2d((long, long, long, long) padding) => new([padding.Item1, padding.Item2, padding.Item3, padding.Item4]);

            /// <summary>Beyond the edges their values.</summary>
            public static ReplicationPad3d ReplicationPad3d(long padding) => new([padding, padding, padding, padding, padding, padding]);

            /// <inheritdoc cref="ReplicationPad3d(long)"/>
            public static ReplicationPad3d ReplicationPad3d((long, long, long, long, long, long) padding) => new([padding.Item1, padding.Item2, padding.Item3, padding.Item4, padding.Item5, padding.Item6]);

            /// <summary>Beyond the edges one value.</summary>
            public static ConstantPad1d ConstantPad1d(long padding, double value) => new([padding, padding], value);

            /// <inheritdoc cref="ConstantPad1d(long, double)"/>
            public static ConstantPad1d ConstantPad1d((long, long) padding, double value) => new([padding.Item1, padding.Item2], value);

            /// <summary>Beyond the edges one value.</summary>
            public static ConstantPad2d ConstantPad2d(long padding, double value) => new([padding, padding, padding, padding], value);

            /// <inheritdoc cref="ConstantPad2d(long, double)"/>
            public static ConstantPad2d ConstantPad2d((long, long, long, long) padding, double value) => new([padding.Item1, padding.Item2, padding.Item3, padding.Item4], value);

            /// <summary>Beyond the edges one value.</summary>
            public static ConstantPad3d ConstantPad3d(long padding, double value) => new([padding, padding, padding, padding, padding, padding], value);

            /// <inheritdoc cref="ConstantPad3d(long, double)"/>
            public static ConstantPad3d ConstantPad3d((long, long, long, long, long, long) padding, double value) => new([padding.Item1, padding.Item2, padding.Item3, padding.Item4, padding.Item5, padding.Item6], value);

            /// <summary>Beyond the edges zeros.</summary>
            public static ZeroPad2d ZeroPad2d(long padding) => new([padding, padding, padding, padding]);

            /// <inheritdoc cref="ZeroPad2d(long)"/>
            public static ZeroPad2d ZeroPad2d((long, long, long, long) padding) => new([padding.Item1, padding.Item2, padding.Item3, padding.Item4]);
        }
    }
}

namespace Recsys.Torch.Modules
{
    /// <summary>Padding of the trailing dimensions, the last one first.</summary>
    public abstract class PadBase : nn.Module<Tensor, Tensor>
    {
        private readonly PaddingModes _mode;
        private readonly double _value;

        private protected PadBase(string name, long[] padding, PaddingModes mode, double value)
            : base(name) => (Padding, _mode, _value) = (padding, mode, value);

        public long[] Padding { get; }

        public override Tensor forward(Tensor input) => nn.functional.pad(input, Padding, _mode, _value);
    }

    public sealed class ReflectionPad1d : PadBase
    {
        internal ReflectionPad1d(long[] padding)
            : base(nameof(ReflectionPad1d), padding, PaddingModes.Reflect, 0)
        {
        }
    }

    public sealed class ReflectionPad2d : PadBase
    {
        internal ReflectionPad2d(long[] padding)
            : base(nameof(ReflectionPad2d), padding, PaddingModes.Reflect, 0)
        {
        }
    }

    public sealed class ReflectionPad3d : PadBase
    {
        internal ReflectionPad3d(long[] padding)
            : base(nameof(ReflectionPad3d), padding, PaddingModes.Reflect, 0)
        {
        }
    }

    public sealed class ReplicationPad1d : PadBase
    {
        internal ReplicationPad1d(long[] padding)
            : base(nameof(ReplicationPad1d), padding, PaddingModes.Replicate, 0)
        {
        }
    }

    public sealed class ReplicationPad2d : PadBase
    {
        internal ReplicationPad2d(long[] padding)
            : base(nameof(ReplicationPad2d), padding, PaddingModes.Replicate, 0)
        {
        }
    }

    public sealed class ReplicationPad3d : PadBase
    {
        internal ReplicationPad3d(long[] padding)
            : base(nameof(ReplicationPad3d), padding, PaddingModes.Replicate, 0)
        {
        }
    }

    public sealed class ConstantPad1d : PadBase
    {
        internal ConstantPad1d(long[] padding, double value)
            : base(nameof(ConstantPad1d), padding, PaddingModes.Constant, value)
        {
        }
    }

    public sealed class ConstantPad2d : PadBase
    {
        internal ConstantPad2d(long[] padding, double value)
            : base(nameof(ConstantPad2d), padding, PaddingModes.Constant, value)
        {
        }
    }

    public sealed class ConstantPad3d : PadBase
    {
        internal ConstantPad3d(long[] padding, double value)
            : base(nameof(ConstantPad3d), padding, PaddingModes.Constant, value)
        {
        }
    }

    public sealed class ZeroPad2d : PadBase
    {
        internal ZeroPad2d(long[] padding)
            : base(nameof(ZeroPad2d), padding, PaddingModes.Constant, 0)
        {
        }
    }
}
