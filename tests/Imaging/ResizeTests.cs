namespace Recsys.Imaging.Tests;

public sealed class ResizeTests
{
    [Theory]
    [InlineData(64, 48, 16, 12)]
    [InlineData(64, 48, 7, 31)]
    [InlineData(5, 3, 50, 60)]
    [InlineData(1, 1, 32, 32)]
    [InlineData(2000, 3, 10, 1)]
    public void A_constant_stays_constant(int width, int height, int toWidth, int toHeight)
    {
        var colour = new Rgb(17, 130, 244);

        var sized = ImageResizer.Resize(Picture.Solid(width, height, colour), toWidth, toHeight);

        Assert.Equal((toWidth, toHeight), (sized.Width, sized.Height));
        var expected = Picture.Solid(toWidth, toHeight, colour);
        Assert.All(sized.Rgb.Zip(expected.Rgb), pair => Assert.InRange(pair.First, pair.Second - 1, pair.Second + 1)); // fixed point
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(40)]
    public void A_checkerboard_shrinks_to_middle_grey(int factor)
    {
        var board = Pictures.From(factor * 16, factor * 16, (x, y) => (x + y) % 2 == 0 ? Rgb.White : Rgb.Black);

        var sized = ImageResizer.Resize(board, 16, 16);

        // Inside; at the edge the window is cut.
        for (int y = 3; y < 13; y++)
        {
            for (int x = 3; x < 13; x++)
            {
                Assert.InRange(sized.Pixel(x, y).R, 124, 131);
            }
        }
    }

    [Fact]
    public void Halving_a_smooth_picture_is_its_area_average()
    {
        var picture = Pictures.Smooth(120, 90);

        var half = ImageResizer.Resize(picture, 60, 45);

        for (int y = 3; y < 42; y++)
        {
            for (int x = 3; x < 57; x++)
            {
                double mean = (picture.Pixel(2 * x, 2 * y).R + picture.Pixel((2 * x) + 1, 2 * y).R + picture.Pixel(2 * x, (2 * y) + 1).R + picture.Pixel((2 * x) + 1, (2 * y) + 1).R) / 4.0;
                Assert.InRange(half.Pixel(x, y).R, mean - 1.5, mean + 1.5);
            }
        }
    }

    [Fact]
    public void Shrinking_keeps_the_mean_and_the_place_of_a_step()
    {
        var step = Pictures.From(96, 32, (x, _) => x < 48 ? Rgb.Black : Rgb.White);

        var sized = ImageResizer.Resize(step, 24, 8);

        Assert.InRange(sized.Rgb.Average(value => value), 126, 129);
        Assert.All(Enumerable.Range(0, 8), x => Assert.True(sized.Pixel(x, 4).R < 4));
        Assert.All(Enumerable.Range(16, 8), x => Assert.True(sized.Pixel(x, 4).R > 251));
    }

    [Fact]
    public void Same_size_is_the_same_picture()
    {
        var noise = Pictures.Noise(31, 17, seed: 5);

        Assert.Equal(noise.Rgb, ImageResizer.Resize(noise, 31, 17).Rgb);
    }

    [Fact]
    public void A_square_keeps_proportions_and_pads_with_the_background()
    {
        var red = PngEncoder.Encode(Picture.Solid(80, 40, new Rgb(255, 0, 0)));
        var background = new Rgb(0, 0, 255);

        var square = ImageDecoder.DecodeSquare(red, 20, background);

        Assert.Equal((20, 20), (square.Width, square.Height));
        for (int y = 0; y < 20; y++)
        {
            Assert.Equal(y is >= 5 and < 15 ? new Rgb(255, 0, 0) : background, square.Pixel(10, y));
        }
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(5, -1)]
    [InlineData(5, 4097)]
    public void A_size_out_of_range_is_refused(int width, int height) =>
        Assert.Contains("4096", Assert.Throws<ImageException>(() => ImageResizer.Resize(Pictures.Smooth(8, 8), width, height)).Message, StringComparison.Ordinal);
}
