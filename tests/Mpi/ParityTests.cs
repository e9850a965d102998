using Recsys.Quantizer;
using Recsys.Torch;
using Recsys.Torch.Safetensors;

namespace Recsys.Mpi.Tests;

/// <summary>Whole trainings by two ranks with half of each batch, against the same by one.</summary>
public sealed class ParityTests(ParityTests.Models models) : IClassFixture<ParityTests.Models>
{
    public static TheoryData<string> Names => new(Trainings.Names);

    [Theory]
    [MemberData(nameof(Names))]
    public void Two_ranks_make_the_model_that_one_makes(string name)
    {
        using var scope = NewDisposeScope();
        foreach (var (file, one, two) in models.Pairs(name, "one/rank0", "two/rank0"))
        {
            Assert.Equal(one.Keys.Order(), two.Keys.Order());
            foreach (var (key, expected) in one)
            {
                var (scale, error) = (expected.abs().max().ToDouble(), (two[key] - expected).abs());
                double bound = 1e-5 * Math.Clamp(scale, 0.1, 1);
                if (key.EndsWith("qkv.bias", StringComparison.Ordinal))
                {
                    // The keys' bias, the middle third, adds the same to all scores of a query: its gradient is rounding, which Adam
                    // brings up to size. The outputs, which are held to the bound with the rest, do not depend on it.
                    var keys = error.chunk(3)[1];
                    Assert.True(keys.max().ToDouble() <= 1e-5, $"{key}: keys off by {keys.max().ToDouble():G3}");
                    keys.zero_();
                }

                if (name == Trainings.Revived)
                {
                    // A code that is moved onto a residual forgets its moments. Where it then lies within rounding of what it is to follow,
                    // Adam's next step is as long as ever, in a direction that rounding decides; one process whose inputs are nudged by
                    // a rounding ends as far from itself. So a few values may be off by one step.
                    using var off = error > bound;
                    Assert.True(off.sum().ToInt64() <= 0.02 * off.numel(), $"{key}: {off.sum().ToInt64()} of {off.numel()} values");
                    bound = new RqVaeOptions().LearningRate;
                }

                Assert.True(
                    error.max().ToDouble() <= bound, $"{file} {key}: off by {error.max().ToDouble():G3}, the largest is {scale:G3}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Both_ranks_end_with_the_same_bytes(string name)
    {
        foreach (string file in Models.Files(Path.Combine(models.Folder, "two/rank0", name)))
        {
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(file.Replace("rank0", "rank1", StringComparison.Ordinal)));
        }
    }

    public sealed class Models : IAsyncLifetime
    {
        private readonly TemporaryFolder _folder = new();

        public string Folder => _folder.Path;

        public async Task InitializeAsync()
        {
            var one = await Mpirun.AloneAsync("train", Path.Combine(Folder, "one"));
            Assert.True(one.ExitCode == 0, one.Error);
            var two = await Mpirun.RanksAsync(2, "train", Path.Combine(Folder, "two"));
            Assert.True(two.ExitCode == 0, two.Error);
        }

        public IEnumerable<Pair> Pairs(string name, string one, string two)
        {
            string folder = Path.Combine(Folder, one, name);
            return Files(folder).Select(file => Path.GetRelativePath(folder, file)).Select(file => new Pair(
                file,
                SafetensorsFile.Load(Path.Combine(folder, file)),
                SafetensorsFile.Load(Path.Combine(Folder, two, name, file))));
        }

        /// <summary>All weights and outputs of one training, those of a model's legs too.</summary>
        public static string[] Files(string folder)
        {
            string[] files = Directory.GetFiles(folder, "*.safetensors", SearchOption.AllDirectories);
            Assert.NotEmpty(files);
            return files;
        }

        public sealed record Pair(string File, Dictionary<string, Tensor> One, Dictionary<string, Tensor> Two);

        public Task DisposeAsync()
        {
            _folder.Dispose();
            return Task.CompletedTask;
        }
    }
}
