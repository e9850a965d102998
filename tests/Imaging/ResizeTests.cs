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

        var sized = ImageResizer.Resize(Pictures.Solid(width, height, colour), toWidth, toHeight);

        Assert.Equal((toWidth, toHeight), (sized.Width, sized.Height));
        var expected = Pictures.Solid(toWidth, toHeight, colour);
        Assert.All(sized.Rgb.Zip(expected.Rgb), pair => Assert.Equal(pair.Second, (double)pair.First, 1.0)); // fixed point
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(40)]
    public void A_checkerboard_shrinks_to_middle_grey(int factor)
    {
        var board = Pictures.From(factor * 16, factor * 16, (x, y) => (x + y) % 2 == 0 ? Rgb.White : default);

        var sized = ImageResizer.Resize(board, 16, 16);

        // At the edge the window is cut.
        foreach (var (x, y) in from y in Enumerable.Range(3, 10) from x in Enumerable.Range(3, 10) select (x, y))
        {
            Assert.Equal(127.5, sized.Pixel(x, y).R, 3.5);
        }
    }

    [Fact]
    public void Halving_a_smooth_picture_is_its_area_average()
    {
        var picture = Pictures.Smooth(120, 90);

        var half = ImageResizer.Resize(picture, 60, 45);

        foreach (var (x, y) in from y in Enumerable.Range(3, 39) from x in Enumerable.Range(3, 54) select (x, y))
        {
            double mean = new[] { (0, 0), (1, 0), (0, 1), (1, 1) }.Average(d => picture.Pixel((2 * x) + d.Item1, (2 * y) + d.Item2).R);
            Assert.Equal(mean, half.Pixel(x, y).R, 1.5);
        }
    }

    [Fact]
    public void Same_size_is_the_same_picture()
    {
        var noise = Pictures.Noise(31, 17, seed: 5);

        Assert.Equal(noise.Rgb, ImageResizer.Resize(noise, 31, 17).Rgb);
    }

    [Fact]
    public void An_array_of_the_wrong_length_is_refused() =>
        Assert.Contains("needs 48 bytes of RGB, not 47", Pictures.Refusal(() => new Picture(4, 4, new byte[47])));
}
