using Recsys.Retrieval.Legs.Dense;
using Recsys.Torch.Kernels;

namespace Recsys.Retrieval.Tests;

/// <summary>What models on a CPU compute with.</summary>
public sealed class ArithmeticTests
{
    private static readonly ItemTable Table = Tiny.Table(90, [6, 5, 4], 3);

    [Fact]
    public void Every_way_gives_the_scores_of_float32_up_to_its_rounding()
    {
        using var folder = new TemporaryFolder();
        using (var made = Tiny.Model(
            Table, Tiny.Options, 2, [Tiny.Transitions(90, 1), Tiny.Dense(90, 1), Tiny.Dense(90, 2, DenseLeg.Content)]))
        {
            made.Save(folder.Path);
        }

        int[][] histories = [[1, 2, 3], [80], [5, 9, 9, 40, 7]];
        var expected = Scores(Arithmetic.Float32);
        Assert.InRange(Furthest(expected, Scores(Arithmetic.Operators)), 0, 1e-3);
        if (PackedLinear.HasBFloat16)
        {
            Assert.InRange(Furthest(expected, Scores(Arithmetic.BFloat16)), 1e-6, 0.2); // rounded, and no more than that
        }
        else
        {
            Assert.Throws<TorchException>(() => Scores(Arithmetic.BFloat16));
        }

        Dictionary<int, double>[] Scores(Arithmetic arithmetic)
        {
            using var recommender = new Recommender(RetrievalModel.Load(folder.Path, arithmetic: arithmetic), Table);
            return [.. histories.Select(history => recommender.Recommend(
                    new RecommendQuery(history, 90) { Candidates = [.. Enumerable.Range(0, 90)] }, default)
                .ToDictionary(answer => answer.Item, answer => answer.Score))];
        }

        static double Furthest(Dictionary<int, double>[] expected, Dictionary<int, double>[] found) =>
            expected.Zip(found).Max(pair => pair.First.Max(score => Math.Abs(score.Value - pair.Second[score.Key])));
    }

    [Fact]
    public void It_is_named_on_the_command_line()
    {
        Assert.Equal(Arithmetic.Float32, Arithmetics.Of("--weights", "float32"));
        Assert.Equal(PackedLinear.HasBFloat16 ? Arithmetic.BFloat16 : Arithmetic.Float32, Arithmetics.Of("--weights", "auto"));
        Assert.Equal(Arithmetic.BFloat16, Arithmetics.Of("--weights", "auto", "cuda:1"));
        Assert.Equal(Arithmetic.BFloat16, Arithmetics.Of("--weights", "bf16", "cuda"));
        Assert.Equal(Arithmetic.Float32, Arithmetics.Of("--weights", "float32", "cuda"));
        if (!PackedLinear.HasBFloat16)
        {
            Assert.Throws<CatalogException>(() => Arithmetics.Of("--weights", "bf16"));
        }

        foreach (string odd in new[] { "", "BF16", "operators", "int8" })
        {
            var error = Assert.Throws<CatalogException>(() => Arithmetics.Of("--weights", odd));
            Assert.Equal(Fault.InvalidArgument, error.Fault);
            Assert.Contains($"--weights '{odd}': allowed are auto, float32, bf16", error.Message, StringComparison.Ordinal);
        }
    }
}
