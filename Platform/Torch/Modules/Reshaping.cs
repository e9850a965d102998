using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>[batch, c·r², h, w] to [batch, c, h·r, w·r] (Shi et al. 2016).</summary>
            public static PixelShuffle PixelShuffle(long upscale_factor) => new(upscale_factor);

            /// <summary>[batch, c, h·r, w·r] to [batch, c·r², h, w].</summary>
            public static PixelUnshuffle PixelUnshuffle(long downscale_factor) => new(downscale_factor);

            /// <summary>Channels of the groups interleaved (Zhang et al. 2018).</summary>
            public static ChannelShuffle ChannelShuffle(long groups) => new(groups);

            /// <summary>Splits a dimension.</summary>
            public static Unflatten Unflatten(long dim, long[] unflattened_size) => new(dim, unflattened_size);

            /// <summary>Sliding blocks as columns.</summary>
            public static Unfold Unfold(long kernel_size, long dilation = 1, long padding = 0, long stride = 1) => new(kernel_size, dilation, padding, stride);

            /// <summary>Divides by the size of neighbouring channels (Krizhevsky et al. 2012).</summary>
            public static LocalResponseNorm LocalResponseNorm(long size, double alpha = 0.0001, double beta = 0.75, double k = 1.0) => new(size, alpha, beta, k);

            /// <summary>a·b / (|a| |b|) along a dimension.</summary>
            public static CosineSimilarity CosineSimilarity(long dim = 1, double eps = 1e-8) => new(dim, eps);

            /// <summary>The p-norm of the difference of rows.</summary>
            public static PairwiseDistance PairwiseDistance(double p = 2.0, double eps = 1e-6, bool keepdim = false) => new(p, eps, keepdim);
        }
    }
}

namespace Recsys.Torch.Modules
{
    public sealed class PixelShuffle(long upscale_factor) : nn.Module<Tensor, Tensor>(nameof(PixelShuffle))
    {
        public override Tensor forward(Tensor input) => nn.functional.pixel_shuffle(input, upscale_factor);
    }

    public sealed class PixelUnshuffle(long downscale_factor) : nn.Module<Tensor, Tensor>(nameof(PixelUnshuffle))
    {
        public override Tensor forward(Tensor input) => nn.functional.pixel_unshuffle(input, downscale_factor);
    }

    public sealed class ChannelShuffle(long groups) : nn.Module<Tensor, Tensor>(nameof(ChannelShuffle))
    {
        public override Tensor forward(Tensor input) => Dispatcher.Call("channel_shuffle", input, groups);
    }

    public sealed class Unflatten(long dim, long[] unflattened_size) : nn.Module<Tensor, Tensor>(nameof(Unflatten))
    {
        public override Tensor forward(Tensor input) => input.unflatten(dim, unflattened_size);
    }

    public sealed class Unfold(long kernel_size, long dilation, long padding, long stride) : nn.Module<Tensor, Tensor>(nameof(Unfold))
    {
        public override Tensor forward(Tensor input) => nn.functional.unfold(input, kernel_size, dilation, padding, stride);
    }

    public sealed class LocalResponseNorm(long size, double alpha, double beta, double k) : nn.Module<Tensor, Tensor>(nameof(LocalResponseNorm))
    {
        public override Tensor forward(Tensor input) => nn.functional.local_response_norm(input, size, alpha, beta, k);
    }

    public sealed class CosineSimilarity(long dim, double eps) : nn.Module<Tensor, Tensor, Tensor>(nameof(CosineSimilarity))
    {
        public override Tensor forward(Tensor input1, Tensor input2) => nn.functional.cosine_similarity(input1, input2, dim, eps);
    }

    public sealed class PairwiseDistance(double p, double eps, bool keepdim) : nn.Module<Tensor, Tensor, Tensor>(nameof(PairwiseDistance))
    {
        public override Tensor forward(Tensor input1, Tensor input2) => nn.functional.pairwise_distance(input1, input2, p, eps, keepdim);
    }
}
