namespace Recsys.Imaging.Tests;

public sealed class DecodingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    public void Grey_of_every_bit_depth_spreads_over_0_to_255(int depth)
    {
        int top = (1 << depth) - 1;
        var picture = ImageDecoder.Decode(TestPng.Encode(9, 5, depth, TestPng.Grey, (x, y, _) => (x + y) * top / 12));

        foreach (var (x, y) in from y in Enumerable.Range(0, 5) from x in Enumerable.Range(0, 9) select (x, y))
        {
            var got = picture.Pixel(x, y);
            Assert.True(got.R == got.G && got.G == got.B);
            Assert.Equal((x + y) * top / 12 * 255.0 / top, got.R, 1.0);
        }
    }

    [Theory]
    [InlineData(8, false)]
    [InlineData(8, true)]
    [InlineData(16, false)]
    [InlineData(16, true)]
    public void Colour_comes_out_exactly_interlaced_or_not(int depth, bool interlaced)
    {
        var expected = Pictures.Noise(13, 11, seed: 3);
        byte Value(int x, int y, int channel) => expected.Rgb[(3 * ((y * 13) + x)) + channel];

        int scale = depth == 16 ? 257 : 1;
        var png = TestPng.Encode(13, 11, depth, TestPng.Colour, (x, y, c) => scale * Value(x, y, c), interlaced: interlaced);

        Assert.Equal(expected.Rgb, ImageDecoder.Decode(png).Rgb);
    }

    [Fact]
    public void A_palette_gives_its_colours_and_its_transparent_entry_white()
    {
        byte[] palette = [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9];
        var png = TestPng.Encode(4, 1, 2, TestPng.Palette, (x, _, _) => x, palette, transparency: [255, 255, 255, 0]);

        byte[] rgb = ImageDecoder.Decode(png).Rgb;

        Assert.Equal([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255], rgb);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void Alpha_mixes_with_white_in_proportion(int depth)
    {
        int top = (1 << depth) - 1;
        int[] alphas = [0, top / 4, top / 2, top];
        var png = TestPng.Encode(4, 1, depth, TestPng.ColourAlpha, (x, _, channel) => channel switch { 0 => top, 3 => alphas[x], _ => 0 });

        var picture = ImageDecoder.Decode(png);

        for (int x = 0; x < 4; x++)
        {
            Assert.InRange(picture.Pixel(x, 0).R, 254, 255);
            Assert.Equal(255 * (1 - ((double)alphas[x] / top)), picture.Pixel(x, 0).G, 1.5);
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void Grey_with_alpha_becomes_colour_over_white(int depth)
    {
        int scale = depth == 16 ? 257 : 1;
        var png = TestPng.Encode(2, 1, depth, TestPng.GreyAlpha, (x, _, channel) => scale * (channel == 0 ? 100 : x * 255));

        Assert.Equal([255, 255, 255, 100, 100, 100], ImageDecoder.Decode(png).Rgb);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void Shrinking_transparent_pixels_leaks_nothing_of_their_hidden_colour(int depth)
    {
        // Left half opaque red, right half transparent with black hidden beneath: over white no pixel may turn darker than either.
        int top = (1 << depth) - 1;
        var png = TestPng.Encode(64, 64, depth, TestPng.ColourAlpha, (x, _, channel) => x < 32 && channel is 0 or 3 ? top : 0);

        var picture = ImageDecoder.Decode(png, 16, 16);

        Assert.All(Enumerable.Range(0, 256), at => Assert.True(picture.Rgb[3 * at] >= 254));
        Assert.Equal([new Rgb(255, 0, 0), Rgb.White], [picture.Pixel(2, 8), picture.Pixel(13, 8)]);
    }

    [Fact]
    public void A_lossless_webp_comes_out_exactly_and_a_lossy_one_nearly()
    {
        var (noise, smooth) = (Pictures.Noise(33, 21, 1), Pictures.Smooth(97, 61));

        Assert.Equal(noise.Rgb, ImageDecoder.Decode(TestFiles.WebP(noise, lossless: true)).Rgb);
        Assert.InRange(Pictures.MeanDifference(smooth, ImageDecoder.Decode(TestFiles.WebP(smooth, lossless: false))), 0, 3);
    }

    [Fact]
    public void The_alpha_of_a_webp_mixes_with_white()
    {
        var picture = ImageDecoder.Decode(TestFiles.AlphaWebP);

        foreach (var (x, y) in new[] { (0, 0), (5, 5), (10, 8), (20, 13) })
        {
            double alpha = Math.Min(255, 8 * (x + y)) / 255.0;
            Assert.Equal((alpha * 10 * x) + ((1 - alpha) * 255), picture.Pixel(x, y).R, 1.5);
            Assert.Equal((alpha * 15 * y) + ((1 - alpha) * 255), picture.Pixel(x, y).G, 1.5);
        }
    }

    [Fact]
    public void A_jpeg_of_high_quality_differs_by_one_or_two_progressive_or_not()
    {
        var picture = Pictures.Smooth(97, 61);
        var baseline = ImageDecoder.Decode(TestFiles.Jpeg(picture, 98));

        Assert.InRange(Pictures.MeanDifference(picture, baseline), 0, 1.5);
        Assert.Equal(baseline.Rgb, ImageDecoder.Decode(TestFiles.Jpeg(picture, 98, progressive: true)).Rgb);
    }

    [Fact]
    public void A_grey_jpeg_becomes_rgb()
    {
        using var image = TestFiles.Open(Pictures.Solid(9, 9, new Rgb(77, 77, 77)));
        using var grey = image[0];

        Assert.All(ImageDecoder.Decode(grey.JpegsaveBuffer()).Rgb, value => Assert.Equal(77.0, value, 1.0));
    }

    [Fact]
    public void Cmyk_becomes_rgb()
    {
        var picture = ImageDecoder.Decode(TestFiles.CmykJpeg);

        Assert.Equal((16, 8), (picture.Width, picture.Height));
        (int X, Rgb Colour)[] expected = [(1, Rgb.White), (6, new(38, 36, 40)), (10, new(236, 33, 40)), (14, new(30, 40, 125))];
        foreach (var (x, colour) in expected)
        {
            var found = picture.Pixel(x, 4); // black ink alone is no full black
            Assert.Equal(colour.R, found.R, 20.0);
            Assert.Equal(colour.G, found.G, 20.0);
            Assert.Equal(colour.B, found.B, 20.0);
        }
    }
}
