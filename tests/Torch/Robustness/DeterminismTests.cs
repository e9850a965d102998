namespace Recsys.Torch.Tests.Robustness;

/// <summary>The same seed gives the same bytes on a CPU, whatever the number of threads: random numbers, a forward pass, a training.</summary>
public class DeterminismTests
{
    private const int Items = 500, Width = 64;

    [ThreadInvariantTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_same_seed_gives_the_same_weights_whatever_the_number_of_threads(bool bfloat16) =>
        WithThreads(() =>
        {
            byte[] one = Train(1, bfloat16);
            foreach (int threads in new[] { 1, 2, 3, 7 })
            {
                Assert.Equal(one, Train(threads, bfloat16));
            }
        });

    [Fact]
    public void Random_numbers_dropout_and_a_forward_pass_do_not_depend_on_the_number_of_threads() =>
        WithThreads(() =>
        {
            byte[] one = Forward(1);
            Assert.Equal(one, Forward(2));
            Assert.Equal(one, Forward(3));
        });

    private static void WithThreads(Action body)
    {
        int before = get_num_threads();
        try
        {
            body();
        }
        finally
        {
            set_num_threads(before);
        }
    }

    private static byte[] Forward(int threads)
    {
        set_num_threads(threads);
        using var scope = NewDisposeScope();
        manual_seed(5);
        using var model = new TinyModel(Items, Width, heads: 4, drop: 0.2);
        return SafetensorsFile.ToBytes(new Dictionary<string, Tensor> { ["scores"] = model.call(randint(0, 40, [24, 50], dtype: ScalarType.Int64)) });
    }

    private static byte[] Train(int threads, bool bfloat16)
    {
        set_num_threads(threads);
        using var scope = NewDisposeScope();
        manual_seed(11);
        using var model = new TinyModel(Items, Width, heads: 4, drop: 0.2);
        using var optimizer = optim.AdamW(model.parameters(), 1e-3);
        // Few items in many rows: embedding's backward adds the same rows again and again, in an order that must not change.
        Tensor items = randint(0, 40, [24, 50], dtype: ScalarType.Int64);
        double last = 0;
        for (int step = 0; step < 3; step++)
        {
            using (bfloat16 ? Autocast.Cpu() : null)
            {
                last = model.Step(optimizer, items);
            }
        }

        Assert.True(double.IsFinite(last));
        return SafetensorsFile.ToBytes(model.state_dict());
    }
}
