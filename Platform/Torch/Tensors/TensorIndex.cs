using Recsys.Torch.Native;
using static Recsys.Torch.Native.Exports;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>
    /// One index of <c>tensor[...]</c>: an integer, a slice, a mask or index tensor, an ellipsis, a new axis (None). C# ranges and
    /// from-end indices convert to it.
    /// </summary>
    public readonly struct TensorIndex
    {
        public static readonly TensorIndex Ellipsis = new(Kind.Ellipsis);
        public static readonly TensorIndex None = new(Kind.None);
        public static readonly TensorIndex Null = new(Kind.None);
        public static readonly TensorIndex Colon = Slice();

        internal readonly Kind Kind;
        internal readonly long A;
        internal readonly long B;
        internal readonly long C;
        internal readonly torch.Tensor? Mask;

        private TensorIndex(Kind kind, long a = 0, long b = 0, long c = 0, torch.Tensor? mask = null)
        {
            Kind = kind;
            (A, B, C) = (a, b, c);
            Mask = mask;
        }

        /// <summary>start:stop:step, each of which may be left out; negative counts from the end.</summary>
        public static TensorIndex Slice(long? start = null, long? stop = null, long? step = null) =>
            new(Kind.Slice, start ?? long.MinValue, stop ?? long.MinValue, step ?? long.MinValue);

        public static TensorIndex Slice(Range range) => Slice(
            range.Start.IsFromEnd ? -range.Start.Value : range.Start.Value,
            range.End.IsFromEnd ? (range.End.Value == 0 ? null : -range.End.Value) : range.End.Value);

        public static TensorIndex Bool(bool value) => new(Kind.Bool, value ? 1 : 0);

        public static TensorIndex Single(long index) => new(Kind.Int, index);

        public static TensorIndex Tensor(torch.Tensor tensor) => new(Kind.Tensor, mask: tensor ?? throw new ArgumentNullException(nameof(tensor)));

        public static implicit operator TensorIndex(long value) => Single(value);

        public static implicit operator TensorIndex(int value) => Single(value);

        public static implicit operator TensorIndex(bool value) => Bool(value);

        public static implicit operator TensorIndex(torch.Tensor value) => Tensor(value);

        public static implicit operator TensorIndex(Range range) => Slice(range);

        public static implicit operator TensorIndex((int? start, int? end) range) => Slice(range.start, range.end);

        public static implicit operator TensorIndex(Index index) => Single(index.IsFromEnd ? -index.Value : index.Value);

        public override string ToString() => Kind switch
        {
            Kind.Slice => $"{Part(A)}:{Part(B)}{(C == long.MinValue ? "" : ":" + C)}",
            Kind.Tensor => Mask!.Signature,
            Kind.Int => A.ToString(),
            _ => Kind.ToString(),
        };

        private static string Part(long v) => v == long.MinValue ? "" : v.ToString();
    }

    public unsafe partial class Tensor
    {
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        public Tensor index(params TensorIndex[] indices)
        {
            Out result;
            WithIndices(indices, (self, arguments) =>
            {
                Out r;
                var status = rs_tensor_index(self, arguments, indices.Length, &r);
                return (status, r);
            }, out result);
            return Own(result);
        }

        public Tensor index(params Tensor[] indices) => index(Array.ConvertAll(indices, i => (TensorIndex)i));

        public Tensor index_put_(Tensor value, params TensorIndex[] indices) => Put(value, indices);

        public Tensor index_put_(Scalar value, params TensorIndex[] indices) => Put(value, indices);

        public Tensor index_put_(Tensor value, Tensor[] indices, bool accumulate = false)
        {
            Dispatcher.Run("index_put_", this, (Value)indices, value, accumulate);
            return this;
        }

        public Tensor index_put(Tensor value, Tensor[] indices, bool accumulate = false) =>
            Dispatcher.Call("index_put", this, (Value)indices, value, accumulate);

        private delegate (Status Status, Out Result) Indexed(nint self, Arg* arguments);

        private Tensor Put(Value value, TensorIndex[] indices)
        {
            var source = value.Reference as Tensor;
            Arg argument = new() { Kind = value.Kind, Payload = source?.Hold() ?? value.Bits };
            try
            {
                WithIndices(indices, (self, arguments) =>
                {
                    var a = argument;
                    return (rs_tensor_index_put(self, arguments, indices.Length, &a), default);
                }, out _);
            }
            finally
            {
                source?.Release();
            }

            return this;
        }

        private void WithIndices(TensorIndex[] indices, Indexed body, out Out result)
        {
            ArgumentNullException.ThrowIfNull(indices);
            if (indices.Length == 0 || indices.Length > MaxDims)
            {
                throw new ArgumentException($"{indices.Length} indices; a tensor takes 1 to {MaxDims}.", nameof(indices));
            }

            var self = Hold();
            var held = 0;
            var arguments = stackalloc Arg[indices.Length];
            var bounds = stackalloc long[indices.Length * 3];
            try
            {
                for (var i = 0; i < indices.Length; i++)
                {
                    ref readonly var index = ref indices[i];
                    arguments[i] = new Arg { Kind = index.Kind, Payload = index.A };
                    if (index.Kind == Kind.Tensor)
                    {
                        arguments[i].Payload = index.Mask!.Hold();
                    }
                    else if (index.Kind == Kind.Slice)
                    {
                        var b = bounds + (i * 3);
                        (b[0], b[1], b[2]) = (index.A, index.B, index.C);
                        arguments[i].Payload = (long)b;
                    }

                    held = i + 1;
                }

                (var status, result) = body(self, arguments);
                if (status != Status.Ok)
                {
                    throw Check.Failure(status, "index", $"{Signature}, [{string.Join(", ", indices)}]");
                }
            }
            finally
            {
                for (var i = 0; i < held; i++)
                {
                    indices[i].Mask?.Release();
                }

                Release();
            }
        }
    }
}
