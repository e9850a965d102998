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
                double scale = expected.abs().max().ToDouble(), error = (two[key] - expected).abs().max().ToDouble();

                // A bias of the keys has no gradient but rounding, which Adam brings up to size: hence the 1e-6.
                Assert.True(error <= 1e-6 + (1e-5 * scale), $"{file} {key}: off by {error:G3}, the largest value is {scale:G3}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Both_ranks_end_with_the_same_bytes(string name)
    {
        foreach (string file in Directory.GetFiles(Path.Combine(models.Folder, "two/rank0", name), "*.safetensors"))
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

        public IEnumerable<(string File, Dictionary<string, Tensor> One, Dictionary<string, Tensor> Two)> Pairs(string name, string one, string two)
        {
            string[] files = Directory.GetFiles(Path.Combine(Folder, one, name), "*.safetensors");
            Assert.NotEmpty(files);
            return files.Select(file => (Path.GetFileName(file), SafetensorsFile.Load(file), SafetensorsFile.Load(Path.Combine(Folder, two, name, Path.GetFileName(file)))));
        }

        public Task DisposeAsync()
        {
            _folder.Dispose();
            return Task.CompletedTask;
        }
    }
}
