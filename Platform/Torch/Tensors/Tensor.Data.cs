using Recsys.Torch.Native;
using static Recsys.Torch.Native.Exports;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>Elements in and out of managed memory.</summary>
    public unsafe partial class Tensor
    {
        /// <summary>
        /// The elements' memory itself, for a contiguous CPU tensor; setting it copies. The span is valid while the tensor is.
        /// </summary>
        public Span<byte> bytes
        {
            get
            {
                if (!is_contiguous())
                {
                    throw new InvalidOperationException("The bytes of a tensor can be seen in place only where it is contiguous; call contiguous().");
                }

                return new Span<byte>(DataPointer(), checked((int)(NumberOfElements * ElementSize)));
            }

            set
            {
                fixed (byte* p = value)
                {
                    SetBytes(p, value.Length);
                }
            }
        }

        /// <summary>Reads elements in row-major order, whatever the strides.</summary>
        public TensorAccessor<T> data<T>()
            where T : unmanaged
        {
            RequireType<T>();
            return new TensorAccessor<T>(this);
        }

        /// <summary>The one element of the tensor.</summary>
        public T item<T>()
            where T : unmanaged
        {
            var scalar = ToScalar();
            return (T)Convert(scalar, typeof(T));
        }

        public Scalar ToScalar()
        {
            var handle = Hold();
            try
            {
                Out result;
                var status = rs_tensor_item(handle, &result);
                return status == Status.Ok ? Scalar.Of(result) : throw Check.Failure(status, "item", Signature);
            }
            finally
            {
                Release();
            }
        }

        public double ToDouble() => ToScalar().ToDouble();

        public float ToSingle() => ToScalar().ToSingle();

        public long ToInt64() => ToScalar().ToInt64();

        public int ToInt32() => ToScalar().ToInt32();

        public short ToInt16() => checked((short)ToInt64());

        public byte ToByte() => checked((byte)ToInt64());

        public sbyte ToSByte() => checked((sbyte)ToInt64());

        public bool ToBoolean() => ToScalar().ToBoolean();

        public bool is_nonzero() => Dispatcher.CallNumber("is_nonzero", this) != 0;

        /// <summary>Copies all elements in row-major order, from any device.</summary>
        internal void CopyTo<T>(Span<T> destination)
            where T : unmanaged
        {
            RequireType<T>();
            var handle = Hold();
            try
            {
                fixed (T* p = destination)
                {
                    Check.Ok(rs_tensor_to_bytes(handle, p, (long)destination.Length * sizeof(T)), "copy out");
                }
            }
            finally
            {
                Release();
            }
        }

        /// <summary>Overwrites all elements in row-major order.</summary>
        internal void CopyFrom<T>(ReadOnlySpan<T> source)
            where T : unmanaged
        {
            RequireType<T>();
            fixed (T* p = source)
            {
                SetBytes(p, (long)source.Length * sizeof(T));
            }
        }

        internal void* DataPointer()
        {
            var handle = Hold();
            try
            {
                void* p;
                Check.Ok(rs_tensor_data(handle, &p), "data");
                return p;
            }
            finally
            {
                Release();
            }
        }

        /// <summary>A new CPU tensor with a copy of these elements.</summary>
        internal static Tensor FromBytes(ReadOnlySpan<byte> data, ReadOnlySpan<long> shape, ScalarType dtype)
        {
            fixed (byte* p = data)
            fixed (long* s = shape)
            {
                byte nothing;
                Out result;
                Check.Ok(rs_tensor_from_bytes(p == null ? &nothing : p, data.Length, s, shape.Length, (int)dtype, &result), "tensor");
                return Own(result);
            }
        }

        private void SetBytes(void* data, long length)
        {
            var handle = Hold();
            try
            {
                Check.Ok(rs_tensor_set_bytes(handle, data, length), "copy in");
            }
            finally
            {
                Release();
            }
        }

        private void RequireType<T>()
            where T : unmanaged
        {
            var type = dtype;
            if (type != ScalarTypeOf<T>() && !(sizeof(T) == 2 && typeof(T) == typeof(ushort)))
            {
                throw new ArgumentException($"The tensor's elements are {type}, not {typeof(T).Name}; call to(ScalarType.{ScalarTypeOf<T>()}) first.");
            }
        }

        private static object Convert(Scalar s, Type type) =>
            type == typeof(float) ? s.ToSingle()
            : type == typeof(double) ? s.ToDouble()
            : type == typeof(long) ? s.ToInt64()
            : type == typeof(int) ? s.ToInt32()
            : type == typeof(bool) ? s.ToBoolean()
            : type == typeof(short) ? checked((short)s.ToInt64())
            : type == typeof(byte) ? checked((byte)s.ToInt64())
            : type == typeof(sbyte) ? checked((sbyte)s.ToInt64())
            : type == typeof(Half) ? (Half)s.ToDouble()
            : throw new NotSupportedException($"item<{type.Name}>: use a .NET number or bool.");
    }
}

/// <summary>The elements of a tensor in row-major order.</summary>
public sealed class TensorAccessor<T> : IEnumerable<T>, IDisposable
    where T : unmanaged
{
    private readonly torch.Tensor _tensor;

    internal TensorAccessor(torch.Tensor tensor)
    {
        _tensor = tensor;
    }

    public long Count => _tensor.numel();

    /// <summary>One element; on each read the tensor is asked, so a loop over all is better served by <see cref="ToArray"/>.</summary>
    public T this[params long[] indices]
    {
        get
        {
            using var element = Element(indices);
            Span<T> one = stackalloc T[1];
            element.CopyTo(one);
            return one[0];
        }

        set
        {
            using var element = Element(indices);
            element.CopyFrom([value]);
        }
    }

    public T[] ToArray()
    {
        var array = GC.AllocateUninitializedArray<T>(checked((int)Count));
        _tensor.CopyTo<T>(array);
        return array;
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyTo(array.AsSpan(), arrayIndex, tensorIndex);

    public void CopyTo(Span<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var target = array[arrayIndex..];
        if (tensorIndex == 0 && target.Length == Count)
        {
            _tensor.CopyTo(target);
            return;
        }

        var rest = ToArray().AsSpan((int)tensorIndex);
        rest[..Math.Min(rest.Length, target.Length)].CopyTo(target);
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyFrom((ReadOnlySpan<T>)array, arrayIndex, tensorIndex);

    public void CopyFrom(ReadOnlySpan<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var source = array[arrayIndex..];
        if (tensorIndex == 0 && source.Length == Count)
        {
            _tensor.CopyFrom(source);
            return;
        }

        var all = ToArray();
        source[..(int)Math.Min(source.Length, all.Length - tensorIndex)].CopyTo(all.AsSpan((int)tensorIndex));
        _tensor.CopyFrom<T>(all);
    }

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)ToArray()).GetEnumerator();

    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Nothing to free; the tensor stays its owner's.</summary>
    public void Dispose()
    {
    }

    private torch.Tensor Element(long[] indices)
    {
        if (indices.Length != _tensor.ndim)
        {
            throw new ArgumentException($"{indices.Length} indices for a tensor of {_tensor.ndim} dimensions.", nameof(indices));
        }

        using var scope = torch.NewDisposeScope();
        using var view = _tensor.detach();
        return view.index(Array.ConvertAll(indices, i => (torch.TensorIndex)i)).MoveToOuterDisposeScope();
    }
}
