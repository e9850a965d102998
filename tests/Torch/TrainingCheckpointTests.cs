using Recsys.Torch.Safetensors;
using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

public sealed class TrainingCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder["runs/training.safetensors"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Interrupted_and_resumed_it_ends_in_the_same_bytes()
    {
        using var whole = new Training();
        whole.Run(12);

        using (var first = new Training())
        {
            first.Run(5);
            first.Save(Path, "key");
        }

        using var second = new Training();
        second.Run(3); // what it had is replaced
        Assert.True(second.Load(Path, "key"));
        Assert.Equal(5, second.Steps);
        second.Run(12);
        Assert.Equal(whole.State(), second.State());
    }

    [Fact]
    public void It_is_replaced_as_a_whole_and_deleted_when_done()
    {
        using var training = new Training();
        training.Run(1);
        training.Save(Path, "key");
        training.Run(2);
        training.Save(Path, "key");
        Assert.Equal([Path], Directory.GetFiles(_folder["runs"]));
        using var other = new Training();
        Assert.True(other.Load(Path, "key"));
        Assert.Equal(2, other.Steps);
        new TrainingCheckpoint(Path, TimeSpan.Zero).Delete();
        Assert.Empty(Directory.GetFiles(_folder["runs"]));
        Assert.False(other.Load(Path, "key"));
    }

    [Fact]
    public void One_of_another_training_counts_as_none() => CountsAsNone(file => [file], key: "another");

    [Fact]
    public void A_file_that_is_cut_or_of_another_kind_counts_as_none() =>
        CountsAsNone(file => [file[..^1], file[..100], [], [.. "no checkpoint at all, but long enough to be one"u8]]);

    [Fact]
    public void A_flipped_bit_in_any_byte_counts_as_none()
    {
        var random = new Random(3);
        CountsAsNone(file => Enumerable.Range(0, file.Length).Select(at =>
        {
            byte[] flipped = [.. file];
            flipped[at] ^= (byte)(1 << random.Next(8));
            return flipped;
        }));
    }

    [Fact]
    public void A_safetensors_file_without_an_optimiser_counts_as_none()
    {
        using var training = new Training();
        training.Run(2);
        byte[] before = training.State();
        using var one = ones(1);
        Directory.CreateDirectory(_folder["runs"]);
        var metadata = new Dictionary<string, string> { ["key"] = "key", ["step"] = "3" };
        SafetensorsFile.Save(Path, new Dictionary<string, Tensor> { ["a"] = one }, metadata);
        Assert.False(training.Load(Path, "key"));
        Assert.Equal(before, training.State());
    }

    [Fact]
    public void Due_follows_the_interval()
    {
        var never = new TrainingCheckpoint(Path, TimeSpan.FromDays(1));
        Assert.True(new TrainingCheckpoint(Path, TimeSpan.Zero).Due);
        Assert.False(never.Due);
    }

    // Null, the training as it was, and no tensor left over.
    private void CountsAsNone(Func<byte[], IEnumerable<byte[]>> damages, string key = "key")
    {
        using var saved = new Training();
        saved.Run(4);
        saved.Save(Path, "key");
        byte[] file = File.ReadAllBytes(Path);
        using var training = new Training();
        training.Run(2);
        byte[] before = training.State();
        long live = LiveTensors();
        int number = 0;
        foreach (byte[] damaged in damages(file))
        {
            File.WriteAllBytes(Path, damaged);
            Assert.False(training.Load(Path, key), $"damage {number} went unseen");
            number++;
        }

        Assert.Equal(live, LiveTensors());
        Assert.Equal(before, training.State());
    }

    // y = x W, with an average; the batch of a step follows from its number.
    private sealed class Training : IDisposable
    {
        private readonly Parameter _weight = new(Random(1, 6, 3).to(ScalarType.Float32));
        private readonly FusedAdamW _optimizer;
        private readonly WeightAverage _average;

        public Training()
        {
            _optimizer = new FusedAdamW([_weight], 0.05, 0.1);
            _average = new WeightAverage([_weight], 0.9);
        }

        public long Steps { get; private set; }

        public void Run(long steps)
        {
            for (; Steps < steps; Steps++)
            {
                using var scope = NewDisposeScope();
                _weight.grad = null;
                matmul(Random((ulong)Steps, 10, 6).to(ScalarType.Float32), _weight).sub(1).square().mean().backward();
                _optimizer.step();
                _average.Update();
            }
        }

        public void Save(string path, string key) => new TrainingCheckpoint(path, TimeSpan.Zero).Save(
            key, Steps, _optimizer, new Dictionary<string, Tensor> { ["weight"] = _weight, ["average"] = _average.Averages[0] });

        public bool Load(string path, string key)
        {
            using var scope = NewDisposeScope();
            if (new TrainingCheckpoint(path, TimeSpan.Zero).Load(key, _optimizer) is not { } saved)
            {
                Assert.Equal(0, scope.DisposablesCount); // the caller has nothing to free
                return false;
            }

            using var _ = no_grad();
            _weight.copy_(saved.Tensors["weight"]);
            _average.Restore([saved.Tensors["average"]], Steps = saved.Step);
            return true;
        }

        public byte[] State()
        {
            using var optimizer = new MemoryStream();
            _optimizer.save_state_dict(new BinaryWriter(optimizer));
            return [.. _weight.Bytes(), .. _average.Averages[0].Bytes(), .. optimizer.ToArray(), (byte)_average.Updates];
        }

        public void Dispose()
        {
            _average.Dispose();
            _optimizer.Dispose();
            _weight.grad?.Dispose();
            _weight.Dispose();
        }
    }
}
