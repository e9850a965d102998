using Recsys.Torch.Native;
using static Recsys.Torch.Native.Exports;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>What a tensor says about itself.</summary>
    public unsafe partial class Tensor
    {
        private const int MaxDims = 64; // libtorch's own limit for indexing and iteration

        public ScalarType dtype => (ScalarType)Describe().Dtype;

        public Device device => Device.Unpack(Describe().Device);

        public DeviceType device_type => device.type;

        public int device_index => device.index;

        public bool is_cuda => device_type == DeviceType.CUDA;

        public bool is_cpu() => device_type == DeviceType.CPU;

        public long ndim => Describe().Dim;

        public long Dimensions => ndim;

        public long dim() => ndim;

        public long NumberOfElements => Describe().Numel;

        public long numel() => NumberOfElements;

        public long ElementSize => Describe().ElementSize;

        public long element_size() => ElementSize;

        public long storage_offset() => Describe().StorageOffset;

        public bool is_contiguous() => Describe().IsContiguous != 0;

        public bool is_leaf => Describe().IsLeaf != 0;

        public bool is_floating_point() => torch.is_floating_point(dtype);

        public bool is_integral() => torch.is_integral(dtype);

        public long[] shape => Dims(strides: false);

        public long[] size() => shape;

        /// <summary>The length of one dimension; negative counts from the end.</summary>
        public long size(int dim)
        {
            var s = shape;
            var at = dim < 0 ? dim + s.Length : dim;
            return at >= 0 && at < s.Length ? s[at]
                : throw new ArgumentOutOfRangeException(nameof(dim), dim, $"the tensor has {s.Length} dimensions");
        }

        public long size(long dim) => size(checked((int)dim));

        public long[] stride() => Dims(strides: true);

        public long stride(int dim)
        {
            var s = stride();
            var at = dim < 0 ? dim + s.Length : dim;
            return at >= 0 && at < s.Length ? s[at]
                : throw new ArgumentOutOfRangeException(nameof(dim), dim, $"the tensor has {s.Length} dimensions");
        }

        /// <summary>For error messages: <c>Float32[2, 3]</c>; says so where it is disposed.</summary>
        internal string Signature
        {
            get
            {
                try
                {
                    return $"{dtype}[{string.Join(", ", shape)}]{(is_cpu() ? "" : $" on {device}")}";
                }
                catch (ObjectDisposedException)
                {
                    return "disposed tensor";
                }
            }
        }

        internal Description Describe()
        {
            var handle = Hold();
            try
            {
                Description d;
                Check.Ok(rs_tensor_describe(handle, &d, null, null, 0), "describe");
                return d;
            }
            finally
            {
                Release();
            }
        }

        private long[] Dims(bool strides)
        {
            var handle = Hold();
            try
            {
                Description d;
                var sizes = stackalloc long[MaxDims];
                Check.Ok(rs_tensor_describe(handle, &d, strides ? null : sizes, strides ? sizes : null, MaxDims), "describe");
                return new Span<long>(sizes, (int)d.Dim).ToArray();
            }
            finally
            {
                Release();
            }
        }
    }
}
