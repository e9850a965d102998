using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public enum EmbeddingBagMode
    {
        Sum = 0,
        Mean = 1,
        Max = 2,
    }

    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>A table [num_embeddings, embedding_dims] of trained rows; the row padding_idx starts at zero and is not trained.</summary>
            public static Embedding Embedding(
                long num_embeddings, long embedding_dims, long? padding_idx = null, double? max_norm = null, double norm_type = 2.0,
                bool scale_grad_by_freq = false, bool sparse = false, Device? device = null, ScalarType? dtype = null) =>
                new(num_embeddings, embedding_dims, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, device, dtype);

            /// <summary>A table that starts as a copy of <paramref name="embeddings"/> [rows, dim], by default not trained.</summary>
            public static Embedding Embedding_from_pretrained(
                Tensor embeddings, bool freeze = true, long? padding_idx = null, double? max_norm = null, double norm_type = 2.0,
                bool scale_grad_by_freq = false, bool sparse = false, Device? device = null, ScalarType? dtype = null)
            {
                var table = new Embedding(
                    embeddings.shape[0], embeddings.shape[1], padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, device, dtype ?? embeddings.dtype);
                using (no_grad())
                {
                    Dispatcher.Run("copy_", table.weight!, embeddings);
                }

                table.weight!.requires_grad = !freeze;
                return table;
            }

            /// <summary>The sum, mean or maximum of the rows of each bag, without the rows in between.</summary>
            public static EmbeddingBag EmbeddingBag(
                long num_embeddings, long embedding_dims, double? max_norm = null, double norm_type = 2.0, bool scale_grad_by_freq = false,
                EmbeddingBagMode mode = EmbeddingBagMode.Mean, bool sparse = false, bool include_last_offset = false, long padding_index = -1,
                Device? device = null, ScalarType? dtype = null) =>
                new(num_embeddings, embedding_dims, max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset, padding_index, device, dtype);

            /// <summary>A bag over a copy of <paramref name="embeddings"/> [rows, dim], by default not trained.</summary>
            public static EmbeddingBag EmbeddingBag_from_pretrained(
                Tensor embeddings, bool freeze = true, double? max_norm = null, double norm_type = 2.0, bool scale_grad_by_freq = false,
                EmbeddingBagMode mode = EmbeddingBagMode.Mean, bool sparse = false, bool include_last_offset = false, long padding_index = -1,
                Device? device = null, ScalarType? dtype = null)
            {
                var bag = new EmbeddingBag(
                    embeddings.shape[0], embeddings.shape[1], max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset, padding_index,
                    device, dtype ?? embeddings.dtype);
                using (no_grad())
                {
                    bag.weight!.copy_(embeddings);
                }

                bag.weight!.requires_grad = !freeze;
                return bag;
            }
        }
    }
}

namespace Recsys.Torch.Modules
{
    public sealed class Embedding : nn.Module<Tensor, Tensor>
    {
        [ComponentName(Name = "weight")]
        private Parameter _weight;

        private readonly double? _maxNorm;
        private readonly double _normType;
        private readonly long _padding;
        private readonly bool _scaleByFrequency;
        private readonly bool _sparse;

        internal Embedding(
            long rows, long dim, long? padding, double? maxNorm, double normType, bool scaleByFrequency, bool sparse, Device? device, ScalarType? dtype)
            : base(nameof(Embedding))
        {
            _padding = EmbeddingTable.Padding(padding, rows);
            (_maxNorm, _normType, _scaleByFrequency, _sparse) = (maxNorm, normType, scaleByFrequency, sparse);
            _weight = EmbeddingTable.Create(rows, dim, _padding, device, dtype);
            register_parameter("weight", _weight);
        }

        public Parameter? weight
        {
            get => _weight;
            set
            {
                ArgumentNullException.ThrowIfNull(value);
                Parameter old = _weight;
                _weight = value;
                ConditionallyRegisterParameter("weight", value);
                if (!ReferenceEquals(old, value))
                {
                    old.Dispose();
                }
            }
        }

        /// <param name="input">Row numbers of any shape.</param>
        /// <returns>[…, embedding_dims]</returns>
        public override Tensor forward(Tensor input)
        {
            if (_maxNorm is { } limit)
            {
                using (no_grad())
                {
                    Dispatcher.Run("embedding_renorm_", _weight, input, limit, _normType);
                }
            }

            return Dispatcher.Call("embedding", _weight, input, _padding, _scaleByFrequency, _sparse);
        }
    }

    public sealed class EmbeddingBag : nn.Module<Tensor, Tensor?, Tensor?, Tensor>, nn.IModule<Tensor, Tensor>, nn.IModule<Tensor, Tensor, Tensor>
    {
        [ComponentName(Name = "weight")]
        private readonly Parameter _weight;

        private readonly double? _maxNorm;
        private readonly double _normType;
        private readonly bool _scaleByFrequency;
        private readonly EmbeddingBagMode _mode;
        private readonly bool _sparse;
        private readonly bool _includeLastOffset;
        private readonly long _padding;

        internal EmbeddingBag(
            long rows, long dim, double? maxNorm, double normType, bool scaleByFrequency, EmbeddingBagMode mode, bool sparse, bool includeLastOffset,
            long padding, Device? device, ScalarType? dtype)
            : base(nameof(EmbeddingBag))
        {
            (_maxNorm, _normType, _scaleByFrequency, _mode) = (maxNorm, normType, scaleByFrequency, mode);
            (_sparse, _includeLastOffset, _padding) = (sparse, includeLastOffset, padding);
            _weight = EmbeddingTable.Create(rows, dim, padding, device, dtype);
            register_parameter("weight", _weight);
        }

        public Parameter? weight => _weight;

        public Tensor call(Tensor input) => call(input, null, null);

        public Tensor call(Tensor input, Tensor offsets) => call(input, offsets, null);

        /// <param name="input">Row numbers: [bags, rows of each], or [rows] with offsets.</param>
        /// <param name="offsets">Where each bag starts [bags]; null for a two-dimensional input.</param>
        /// <param name="perSampleWeights">One factor a row number (mode Sum only), or null.</param>
        /// <returns>[bags, embedding_dims]</returns>
        public override Tensor forward(Tensor input, Tensor? offsets, Tensor? perSampleWeights)
        {
            if (input.shape.Length == 1 == (offsets is null) || input.shape.Length > 2)
            {
                throw new ArgumentException($"an embedding bag takes [bags, rows] without offsets or [rows] with them, got {input.shape.Length} dimensions");
            }

            using var scope = NewDisposeScope();
            if (offsets is null)
            {
                offsets = Dispatcher.Call("arange.start_step", 0L, input.numel() + (_includeLastOffset ? 1 : 0), input.shape[1], input.dtype, default, input.device);
                input = Dispatcher.Call("reshape", input, new long[] { -1 });
                perSampleWeights = perSampleWeights is null ? null : Dispatcher.Call("reshape", perSampleWeights, new long[] { -1 });
            }

            if (_maxNorm is { } limit)
            {
                using (no_grad())
                {
                    Dispatcher.Run("embedding_renorm_", _weight, input, limit, _normType);
                }
            }

            Value padding = _padding < 0 ? default : (Value)_padding;
            (Tensor bags, Tensor sizes, Tensor rest) = Dispatcher.Call3(
                "embedding_bag.padding_idx", _weight, input, offsets, _scaleByFrequency, (long)_mode, _sparse, perSampleWeights, _includeLastOffset, padding);
            return bags.MoveToOuterDisposeScope();
        }
    }

    /// <summary>Rows drawn from the standard normal distribution, the padding row zero.</summary>
    internal static class EmbeddingTable
    {
        internal static long Padding(long? padding, long rows) => padding switch
        {
            null => -1,
            { } p when p >= -rows && p < rows => p < 0 ? p + rows : p,
            _ => throw new ArgumentException($"padding_idx {padding} must lie within the {rows} rows of the embedding"),
        };

        internal static Parameter Create(long rows, long dim, long padding, Device? device, ScalarType? dtype)
        {
            Parameter weight = AffineModule.Empty([rows, dim], device, dtype);
            nn.init.normal_(weight);
            if (padding >= 0)
            {
                using (no_grad())
                {
                    using Tensor row = Dispatcher.Call("select.int", weight, 0L, padding);
                    Dispatcher.Run("zero_", row);
                }
            }

            return weight;
        }
    }
}
