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
        var png = TestPng.Encode(9, 5, depth, TestPng.Grey, (x, y, _) => (x + y) * top / 12);

        var picture = ImageDecoder.Decode(png);

        for (int y = 0; y < 5; y++)
        {
            for (int x = 0; x < 9; x++)
            {
                int value = (x + y) * top / 12;
                double expected = value * 255.0 / top;
                var got = picture.Pixel(x, y);
                Assert.True(got.R == got.G && got.G == got.B);
                Assert.InRange(got.R, expected - 1, expected + 1);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Colour_of_8_bits_comes_out_exactly_interlaced_or_not(bool interlaced)
    {
        var expected = Pictures.Noise(13, 11, seed: 3);

        var png = TestPng.Encode(13, 11, 8, TestPng.Colour, (x, y, channel) => expected.Rgb[(3 * ((y * 13) + x)) + channel], interlaced: interlaced);

        Assert.Equal(expected.Rgb, ImageDecoder.Decode(png).Rgb);
    }

    [Fact]
    public void A_palette_gives_its_colours_and_its_transparent_entry_the_background()
    {
        byte[] palette = [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9];
        var png = TestPng.Encode(4, 1, 2, TestPng.Palette, (x, _, _) => x, palette, transparency: [255, 255, 255, 0]);

        var picture = ImageDecoder.Decode(png, new DecodeOptions { Background = new Rgb(10, 20, 30) });

        Assert.Equal([new Rgb(255, 0, 0), new Rgb(0, 255, 0), new Rgb(0, 0, 255), new Rgb(10, 20, 30)], Enumerable.Range(0, 4).Select(x => picture.Pixel(x, 0)));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void Alpha_mixes_with_the_background(int depth)
    {
        int top = (1 << depth) - 1;
        int[] alphas = [0, top / 4, top / 2, top];
        var png = TestPng.Encode(4, 1, depth, TestPng.ColourAlpha, (x, _, channel) => channel switch { 0 => top, 3 => alphas[x], _ => 0 });

        var picture = ImageDecoder.Decode(png);

        for (int x = 0; x < 4; x++)
        {
            double alpha = (double)alphas[x] / top;
            Assert.InRange(picture.Pixel(x, 0).R, 254, 255);
            Assert.InRange(picture.Pixel(x, 0).G, (255 * (1 - alpha)) - 1.5, (255 * (1 - alpha)) + 1.5);
        }
    }

    [Fact]
    public void Grey_with_alpha_becomes_colour_over_the_background()
    {
        var png = TestPng.Encode(2, 1, 8, TestPng.GreyAlpha, (x, _, channel) => channel == 0 ? 100 : x * 255);

        var picture = ImageDecoder.Decode(png, new DecodeOptions { Background = new Rgb(1, 2, 3) });

        Assert.Equal(new Rgb(1, 2, 3), picture.Pixel(0, 0));
        Assert.Equal(new Rgb(100, 100, 100), picture.Pixel(1, 0));
    }

    [Fact]
    public void Shrinking_transparent_pixels_leaks_nothing_of_their_hidden_colour()
    {
        // Left half opaque red, right half transparent with black hidden beneath: over white no pixel may turn darker than either.
        var png = TestPng.Encode(64, 64, 8, TestPng.ColourAlpha, (x, _, channel) => x < 32 ? (channel is 0 or 3 ? 255 : 0) : 0);

        var picture = ImageDecoder.DecodeSquare(png, 16, Rgb.White);

        Assert.All(Enumerable.Range(0, 256), at => Assert.True(picture.Rgb[3 * at] >= 254));
        Assert.Equal(new Rgb(255, 0, 0), picture.Pixel(2, 8));
        Assert.Equal(Rgb.White, picture.Pixel(13, 8));
    }

    [Fact]
    public void A_lossless_webp_comes_out_exactly()
    {
        var expected = Pictures.From(16, 12, (x, y) => new Rgb((byte)(15 * x), (byte)(20 * y), 90));

        Assert.Equal(expected.Rgb, ImageDecoder.Decode(TestWebP.File).Rgb);
        Assert.Equal(ImageFormat.WebP, ImageDecoder.Probe(TestWebP.File).Format);
    }

    [Fact]
    public void Probe_reads_the_header_only()
    {
        var png = TestPng.Encode(30, 20, 8, TestPng.ColourAlpha, (_, _, _) => 7);

        Assert.Equal(new ImageInfo(ImageFormat.Png, 30, 20, 4, HasAlpha: true, Orientation: 1), ImageDecoder.Probe(png));
    }
}
