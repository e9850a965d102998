namespace Recsys.Torch.Tests.Distributed;

/// <summary>Several ranks with a share of the batch each equal one rank with all of it.</summary>
public sealed class DataParallelTests
{
    private const int Steps = 6, Windows = 12, Length = 7, Dim = 64, Vocabulary = 20;

    [Theory]
    [InlineData(2, 25L << 20, true)]
    [InlineData(2, 25L << 20, false)]
    [InlineData(2, 40_000, true)] // several buckets
    [InlineData(3, 40_000, true)] // shares of different sizes
    public void Ranks_with_shares_equal_one_rank_with_the_whole_batch(int size, long bucketBytes, bool overlap)
    {
        var alone = Train(null, bucketBytes, overlap);
        var weights = new float[size][];
        var buckets = new int[size];
        Team.Run(size, group =>
        {
            var start = group.Rank; // different first weights: rank 0's are taken
            (weights[group.Rank], buckets[group.Rank]) = Train(group, bucketBytes, overlap, start);
        });
        Assert.All(buckets, count => Assert.Equal(bucketBytes > 1_000_000 ? 1 : 3, count));
        Assert.All(weights, own => Assert.Equal(weights[0], own)); // bit by bit
        Assert.InRange(weights[0].Zip(alone.Weights, (a, b) => Math.Abs(a - b)).Max(), 0, 1e-5);
        Assert.True(Train(null, bucketBytes, overlap, steps: 0).Weights.Zip(alone.Weights, (a, b) => Math.Abs(a - b)).Max() > 1e-3); // it has learned
    }

    [Fact]
    public void A_parameter_that_no_rank_uses_has_no_gradient_and_one_that_some_use_has_their_sum() => Team.Run(2, group =>
    {
        Tensor[] parameters = [.. Enumerable.Range(0, 3).Select(_ => ones(5).requires_grad_())];
        using var parallel = new DataParallel(parameters, group);
        parallel.Prepare();
        var loss = (parameters[0] * (group.Rank + 1)).sum();
        (group.Rank == 0 ? loss : loss + (parameters[1] * 7).sum()).backward();
        Assert.Equal([3.0, 10.0], parallel.Finish(group.Rank + 1, 5));
        Assert.All(parameters[0].grad!.data<float>().ToArray(), value => Assert.Equal(3f, value));
        Assert.All(parameters[1].grad!.data<float>().ToArray(), value => Assert.Equal(7f, value));
        Assert.Null(parameters[2].grad);
    });

    [Fact]
    public void Different_data_on_the_ranks_is_refused() => Team.Run(2, group =>
    {
        using var parallel = new DataParallel([ones(1).requires_grad_()], group);
        parallel.RequireSame("seed", "17");
        var fault = Assert.Throws<DistributedException>(() => parallel.RequireSame("seed", $"{group.Rank}"));
        Assert.Equal((DistributedFault.Mismatch, 1), (fault.Fault, fault.Peer));
    });

    [Fact]
    public void A_view_without_a_gradient_of_its_own_is_refused() => Team.Run(2, group =>
    {
        Tensor weight = ones(4).requires_grad_(), view;
        using (no_grad())
        {
            view = weight.narrow(0, 0, 2);
        }
        Assert.True(view.requires_grad && view.is_leaf); // so it passes for a parameter
        Assert.Contains("parameter 1 is a view", Assert.ThrowsAny<Exception>(() => new DataParallel([weight, view], group)).Message, StringComparison.Ordinal);
        using var parallel = new DataParallel([weight], group);
    });

    [Fact]
    public void A_part_of_a_batch_gets_its_part_of_the_whole_mask()
    {
        using var scope = NewDisposeScope();
        var x = ones(50, 300); // 15,000 elements, more than three of the kernel's blocks
        var whole = Fused.Dropout(x, 0.3, 11);
        var part = Fused.Dropout(x.narrow(0, 17, 33), 0.3, 11, skip: 17 * 300);
        Assert.Equal(whole.narrow(0, 17, 33).data<float>().ToArray(), part.data<float>().ToArray());

        using var norm = LayerNorm(300);
        var sum = Fused.AddDropoutNorm(x, x, norm, 0.3, 12).Sum;
        var tail = Fused.AddDropoutNorm(x.narrow(0, 17, 33), x.narrow(0, 17, 33), norm, 0.3, 12, skip: 17).Sum;
        Assert.Equal(sum.narrow(0, 17, 33).data<float>().ToArray(), tail.data<float>().ToArray());
    }

    // A transformer of one layer with dropout .2 on a fixed task: each rank has the windows of its share.
    private static (float[] Weights, int Buckets) Train(ProcessGroup? group, long bucketBytes, bool overlap, int start = 0, int steps = Steps)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)(1 + start));
        using var network = new OneLayer(Vocabulary, Dim);
        using (no_grad())
        {
            foreach (var parameter in network.parameters())
            {
                init.normal_(parameter, 0, 0.1, generator);
            }
        }

        using var parallel = new DataParallel(network.parameters(), group, bucketBytes, overlap);
        using var optimizer = optim.AdamW(network.parameters(), 1e-3, weight_decay: 0.01);
        var random = new Random(3);
        for (int step = 0; step < steps; step++)
        {
            var tokens = Enumerable.Range(0, Windows * (Length + 1)).Select(_ => (long)random.Next(Vocabulary)).ToArray();
            long seed = random.NextInt64();
            var (from, to) = parallel.Share(Windows);
            var batch = tensor(tokens, [Windows, Length + 1]).narrow(0, from, to - from);
            optimizer.zero_grad();
            parallel.Prepare();
            var logits = network.Forward(batch.narrow(1, 0, Length).reshape(-1), tensor(Enumerable.Range(0, to - from + 1).Select(i => (long)i * Length).ToArray()), seed, from * Length);
            var targets = batch.narrow(1, 1, Length).reshape(-1);
            (functional.cross_entropy(logits, targets, reduction: Reduction.Sum) / (Windows * Length)).backward();
            parallel.Finish();
            optimizer.step();
        }

        return ([.. network.parameters().SelectMany(parameter => parameter.detach().contiguous().data<float>().ToArray())], parallel.Buckets);
    }

    private sealed class OneLayer : Module
    {
        private readonly int _dim;
        private readonly Embedding tokens;
        private readonly Linear qkv, output, head;
        private readonly LayerNorm norm1, norm2;

        public OneLayer(int vocabulary, int dim)
            : base(nameof(OneLayer))
        {
            _dim = dim;
            (tokens, qkv, output, head) = (Embedding(vocabulary, dim), Linear(dim, 3 * dim), Linear(dim, dim), Linear(dim, vocabulary));
            (norm1, norm2) = (LayerNorm(dim), LayerNorm(dim));
            RegisterComponents();
        }

        /// <param name="skip">Tokens of the whole batch before these.</param>
        public Tensor Forward(Tensor ids, Tensor offsets, long seed, long skip)
        {
            long count = ids.size(0);
            var x = Fused.Dropout(tokens.forward(ids), 0.2, seed, skip * _dim);
            var read = Fused.SelfAttention(qkv.forward(norm1.forward(x)).view(count, 3, 4, _dim / 4), offsets, causal: true).view(count, _dim);
            return head.forward(Fused.AddDropoutNorm(x, output.forward(read), norm2, 0.2, seed + 1, skip).Normed);
        }
    }
}
