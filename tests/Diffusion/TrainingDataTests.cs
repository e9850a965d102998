using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Diffusion.Model;
using Recsys.Diffusion.Training;
using Recsys.Imaging;

namespace Recsys.Diffusion.Tests;

public class TrainingDataTests
{
    [Fact]
    public void Both_profiles_are_valid()
    {
        Assert.Null(Record.Exception(CreativeOptions.Default.Validate));
        Assert.Null(Record.Exception(CreativeOptions.Demo.Validate));
    }

    [Fact]
    public void Pictures_are_padded_to_squares_on_white_and_damaged_ones_are_named()
    {
        byte[] wide = PngEncoder.Encode(new Picture(16, 8, [.. Enumerable.Repeat<byte[]>([10, 20, 30], 16 * 8).SelectMany(rgb => rgb)]));
        var data = CreativeTrainingData.Load(new Files([wide, null, [1, 2, 3]]), [new([0]), new([1]), new([1])], [2], 8);
        Assert.Equal([true, false, false], data.Present);
        Assert.Equal(2, Assert.Single(data.Damaged).Item);
        data.Validate();
        byte At(int channel, int y) => data.Pixels[(channel * 64) + (y * 8) + 4];
        Assert.Equal((255, 10), (At(0, 0), At(0, 4)));
        Assert.Equal((255, 30), (At(2, 7), At(2, 4)));
    }

    private sealed class Files(byte[]?[] files) : IImageSource
    {
        public bool Has(int item) => files[item] is not null;

        public byte[]? Read(int item) => files[item];

        public void Dispose()
        {
        }
    }
}
