using static Recsys.Torch.Dispatcher;

namespace Recsys.Torch;

public static partial class torch
{
    /// <summary>Filling in place, with values or from a random stream, and tensors made like this one.</summary>
    public partial class Tensor
    {
        public Tensor fill_(Scalar value) => InPlace("fill_.Scalar", value);

        public Tensor zero_() => InPlace("zero_");

        public Tensor normal_(double mean = 0.0, double std = 1.0, Generator? generator = null) => InPlace("normal_", mean, std, generator);

        public Tensor uniform_(double from = 0.0, double to = 1.0, Generator? generator = null) => InPlace("uniform_", from, to, generator);

        public Tensor exponential_(double lambda = 1.0, Generator? generator = null) => InPlace("exponential_", lambda, generator);

        public Tensor bernoulli_(double p = 0.5, Generator? generator = null) => InPlace("bernoulli_.float", p, generator);

        public Tensor bernoulli_(Tensor p, Generator? generator = null) => InPlace("bernoulli_.Tensor", p, generator);

        /// <summary>Integers from <paramref name="from"/> up to but not including <paramref name="to"/>.</summary>
        public Tensor random_(double from, double to, Generator? generator = null) => InPlace("random_.from", (long)from, (long)to, generator);

        public Tensor bernoulli(Generator? generator = null) => Call("bernoulli", this, generator);

        public Tensor multinomial(long num_samples, bool replacement = false, Generator? generator = null) =>
            Call("multinomial", this, num_samples, replacement, generator);

        public Tensor zeros_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.zeros_like(this, dtype, device, requires_grad);

        public Tensor ones_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.ones_like(this, dtype, device, requires_grad);

        public Tensor empty_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.empty_like(this, dtype, device, requires_grad);

        public Tensor full_like(Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.full_like(this, value, dtype, device, requires_grad);

        public Tensor rand_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.rand_like(this, dtype, device, requires_grad);

        public Tensor randn_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => torch.randn_like(this, dtype, device, requires_grad);

        public Tensor new_zeros(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            zeros(size, dtype ?? this.dtype, device ?? this.device, requires_grad);

        public Tensor new_ones(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            ones(size, dtype ?? this.dtype, device ?? this.device, requires_grad);

        public Tensor new_full(long[] size, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            full(size, value, dtype ?? this.dtype, device ?? this.device, requires_grad);

        public Tensor new_empty(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            empty(size, dtype ?? this.dtype, device ?? this.device, requires_grad);
    }
}
