using Recsys.Torch.Kernels;
using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests.Kernels;

/// <summary>Blocks packed for answering against the same blocks in float64, written down once more.</summary>
public sealed class PackedBlocksTests
{
    // Dim, heads, width, hidden, blocks: below, at and above the vectors of 16 and the panels of 32.
    public static TheoryData<int, int, int, int, int> Shapes => new()
    {
        { 16, 2, 8, 64, 2 }, { 5, 1, 3, 7, 1 }, { 36, 3, 12, 144, 2 }, { 128, 4, 32, 512, 2 }, { 33, 2, 17, 31, 3 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Rows_that_look_at_any_earlier_ones_are_those_of_float64(int dim, int heads, int width, int hidden, int count) =>
        RowsAreThoseOfFloat64(dim, heads, width, hidden, count, half: false, 2e-6);

    /// <summary>Each product is off by 2 to the power of -9 at most, of what is about 1; the blocks add up.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void In_bf16_they_are_so_up_to_its_rounding(int dim, int heads, int width, int hidden, int count)
    {
        if (PackedLinear.HasBFloat16)
        {
            RowsAreThoseOfFloat64(dim, heads, width, hidden, count, half: true, 2e-2);
        }
        else
        {
            Assert.Throws<TorchException>(() => RowsAreThoseOfFloat64(dim, heads, width, hidden, count, half: true, 0));
        }
    }

    private static void RowsAreThoseOfFloat64(int dim, int heads, int width, int hidden, int count, bool half, double tolerance)
    {
        using var scope = NewDisposeScope();
        var (blocks, last) = Make(dim, heads, width, hidden, count);
        using var packed = new PackedBlocks(blocks, last, heads, half);
        var (random, memory) = (new Random(3), Enumerable.Range(0, count).Select(_ => new List<(Tensor, Tensor)>()).ToArray());
        using var read = new ReadRows();
        foreach (int rows in (int[])[1, 7, 70, 33])
        {
            var x = Random((ulong)rows, rows, dim).to(ScalarType.Float32);
            int[][] seen = [.. Enumerable.Range(0, rows).Select(row => (int[])[
                .. Enumerable.Range(0, random.Next(20)).Select(_ => random.Next(read.Count + row + 1)), read.Count + row])];
            var expected = Expected(blocks, last, heads, x.to(ScalarType.Float64), seen, memory);
            float[] values = x.data<float>().ToArray();
            long[] offsets = [0, .. seen.Select((_, row) => seen.Take(row + 1).Sum(of => (long)of.Length))];
            packed.Read(values, read, offsets, [.. seen.SelectMany(of => of)]);
            Close(expected, tensor(values, [rows, dim]), tolerance);
        }

        Assert.Equal(111, read.Count);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(16, 32, 40)]
    [InlineData(37, 19, 33)]
    [InlineData(128, 256, 100)]
    public void Log_probabilities_are_those_of_float64(int inputs, int outputs, int rows)
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Linear(inputs, outputs);
        using var packed = new PackedLinear(layer);
        var x = Random(5, rows, inputs).to(ScalarType.Float32) * 20; // far apart
        var found = new float[rows * outputs];
        packed.LogProbabilities(x.data<float>().ToArray(), found);
        var logits = x.to(ScalarType.Float64).matmul(layer.weight.detach().to(ScalarType.Float64).transpose(0, 1));
        Close(nn.functional.log_softmax(logits, -1), tensor(found, [rows, outputs]), 2e-6);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(16, 300, 9)]
    [InlineData(37, 259, 3)]
    [InlineData(128, 1001, 6)]
    public void Scores_of_items_are_log_probabilities_of_float64_and_the_same_alone(int dim, int items, int rows)
    {
        using var scope = NewDisposeScope();
        var (x, vectors) = (Random(1, rows, dim).to(ScalarType.Float32) * 9, Random(2, items, dim).to(ScalarType.Float32));
        float[] values = x.data<float>().ToArray();
        var found = ItemScores.LogProbabilities(values, vectors);
        var logits = x.to(ScalarType.Float64).matmul(vectors.to(ScalarType.Float64).transpose(0, 1));
        Close(nn.functional.log_softmax(logits, -1), found, 2e-6);
        Assert.Equal(found[rows - 1].Bytes(), ItemScores.LogProbabilities(values.AsSpan((rows - 1) * dim), vectors).Bytes());
        int[] some = [.. Enumerable.Range(0, Math.Min(40, items)).Select(at => (at * 7919) % items)];
        float[] products = ItemScores.Products(values.AsSpan(0, dim), vectors, some);
        Assert.All(some.Index(), at => Assert.Equal(logits[0, at.Item].item<double>(), products[at.Index], 2e-4));

        // A table of bf16 is one of its values in float32, to the last bit.
        var halves = vectors.to(ScalarType.BFloat16);
        var widened = halves.to(ScalarType.Float32);
        Assert.Equal(ItemScores.LogProbabilities(values, widened).Bytes(), ItemScores.LogProbabilities(values, halves).Bytes());
        Assert.Equal(
            ItemScores.Products(values.AsSpan(0, dim), widened, some), ItemScores.Products(values.AsSpan(0, dim), halves, some));
    }

    /// <summary>Exact sums of products of rounded numbers, whatever rows stand beside: to the last bit alone or among others.</summary>
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(37, 19, 33)]
    [InlineData(128, 256, 100)]
    public void In_bf16_log_probabilities_are_those_of_rounded_numbers(int inputs, int outputs, int rows)
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Linear(inputs, outputs);
        if (!PackedLinear.HasBFloat16)
        {
            Assert.Throws<TorchException>(() => new PackedLinear(layer, half: true));
            return;
        }

        using var packed = new PackedLinear(layer, half: true);
        var x = Random(5, rows, inputs).to(ScalarType.Float32) * 20;
        float[] values = x.data<float>().ToArray();
        var (found, alone) = (new float[rows * outputs], new float[outputs]);
        packed.LogProbabilities(values, found);
        Tensor Rounded(Tensor of) => of.detach().to(ScalarType.BFloat16).to(ScalarType.Float64);
        var logits = Rounded(x).matmul(Rounded(layer.weight).transpose(0, 1));
        Close(nn.functional.log_softmax(logits, -1), tensor(found, [rows, outputs]), 2e-6);
        packed.LogProbabilities(values.AsSpan((rows - 1) * inputs), alone);
        Assert.Equal(found[^outputs..], alone);
    }

    [Fact]
    public void Rows_and_shapes_that_cannot_be_are_refused()
    {
        using var scope = NewDisposeScope();
        var (blocks, last) = Make(16, 2, 8, 32, 1);
        using var packed = new PackedBlocks(blocks, last, 2);
        void Read(int values, long[] offsets, int[] seen)
        {
            using var read = new ReadRows();
            packed.Read(new float[values], read, offsets, seen);
        }

        Read(16, [0, 1], [0]);
        Assert.Throws<TorchException>(() => Read(16, [0, 1], [1])); // not read yet
        Assert.Throws<TorchException>(() => Read(16, [0, 1], [-1]));
        Assert.Throws<TorchException>(() => Read(16, [0, 0], [])); // looks at none
        Assert.Throws<TorchException>(() => Read(17, [0, 1], [0]));
        Assert.Throws<TorchException>(() => Read(16, [0, 1], [0, 0]));
        Assert.Throws<TorchException>(() => new PackedBlocks(blocks, last, 3));
        Assert.Throws<TorchException>(() => new PackedBlocks([blocks[0], blocks[0] with { Up = nn.Linear(16, 48) }], last, 2));
        using var layer = new PackedLinear(nn.Linear(4, 3));
        Assert.Throws<TorchException>(() => layer.LogProbabilities(new float[8], new float[7]));
        Assert.Throws<TorchException>(() => layer.LogProbabilities(new float[9], new float[6]));
        Assert.Throws<TorchException>(() => ItemScores.LogProbabilities(new float[5], zeros(3, 4)));
        Assert.Throws<TorchException>(() => ItemScores.LogProbabilities(new float[4], zeros(4, 3).transpose(0, 1)));
        Assert.Throws<TorchException>(() => ItemScores.Products(new float[8], zeros(3, 4), [0]));
        Assert.Throws<TorchException>(() => ItemScores.Products(new float[4], zeros(3, 4), [0, 3]));
        Assert.Throws<TorchException>(() => ItemScores.Products(new float[4], zeros(3, 4), [-1]));
        Assert.Throws<TorchException>(() => ItemScores.Products(new float[4], zeros(0, 4), [0]));
        Assert.Empty(ItemScores.Products(new float[4], zeros(0, 4), []));
    }

    private static (BlockLayers[] Blocks, TorchSharp.Modules.LayerNorm Last) Make(int dim, int heads, int width, int hidden, int count)
    {
        random.manual_seed(7);
        TorchSharp.Modules.LayerNorm Norm()
        {
            var norm = nn.LayerNorm(dim);
            nn.init.normal_(norm.weight!, 1, 0.2);
            nn.init.normal_(norm.bias!, 0, 0.2);
            return norm;
        }

        int all = heads * width;
        return ([.. Enumerable.Range(0, count).Select(_ => new BlockLayers(
            Norm(), nn.Linear(dim, 3 * all), nn.Linear(all, dim), Norm(), nn.Linear(dim, hidden), nn.Linear(hidden, dim)))], Norm());
    }

    private static Tensor Expected(
        BlockLayers[] blocks, TorchSharp.Modules.LayerNorm last, int heads, Tensor x, int[][] seen,
        List<(Tensor Keys, Tensor Values)>[] memory)
    {
        Tensor Exact(Tensor of) => of.detach().to(ScalarType.Float64);
        Tensor Apply(TorchSharp.Modules.Linear layer, Tensor of) => of.matmul(Exact(layer.weight).transpose(0, 1)) + Exact(layer.bias!);
        Tensor Norm(TorchSharp.Modules.LayerNorm norm, Tensor of) =>
            nn.functional.layer_norm(of, [of.size(-1)], Exact(norm.weight!), Exact(norm.bias!), norm.eps);
        for (int block = 0; block < blocks.Length; block++)
        {
            var layers = blocks[block];
            var parts = Apply(layers.Qkv, Norm(layers.AttentionNorm, x)).chunk(3, 1); // each [rows, heads · width]
            memory[block].AddRange(parts[1].unbind().Zip(parts[2].unbind()));
            var read = seen.Select((rows, row) =>
            {
                var keys = stack(rows.Select(at => memory[block][at].Keys)).view(rows.Length, heads, -1);
                var values = stack(rows.Select(at => memory[block][at].Values)).view(rows.Length, heads, -1);
                var weights = nn.functional.softmax((keys * parts[0][row].view(1, heads, -1)).sum(dim: 2) / Math.Sqrt(keys.size(2)), 0);
                return (weights.unsqueeze(2) * values).sum(dim: 0).flatten();
            });
            x = x + Apply(layers.Output, stack(read));
            x = x + Apply(layers.Down, nn.functional.gelu(Apply(layers.Up, Norm(layers.MlpNorm, x))));
        }

        return Norm(last, x);
    }
}
