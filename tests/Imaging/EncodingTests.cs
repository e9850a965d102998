using System.IO.Compression;

namespace Recsys.Imaging.Tests;

public sealed class EncodingTests
{
    [Fact]
    public void A_lossless_webp_comes_back_exactly_and_a_lossy_one_nearly()
    {
        var (noise, smooth) = (Pictures.Noise(33, 21, 1), Pictures.Smooth(97, 61));

        Assert.Equal(noise.Rgb, ImageDecoder.Decode(WebPEncoder.Encode(noise, lossless: true)).Rgb);
        Assert.InRange(Pictures.MeanDifference(smooth, ImageDecoder.Decode(WebPEncoder.Encode(smooth, 95))), 0, 2.5);
        Assert.Equal(ImageFormat.WebP, ImageDecoder.Probe(WebPEncoder.Encode(smooth)).Format);
    }

    [Fact]
    public void Less_quality_makes_smaller_files_and_larger_errors()
    {
        var picture = Pictures.From(160, 120, (x, y) => new Rgb((byte)(x * y), (byte)((x * 3) + (y * y / 9)), (byte)(x ^ y)));
        foreach (var encode in (Func<int, byte[]>[])[quality => JpegEncoder.Encode(picture, quality), quality => WebPEncoder.Encode(picture, quality)])
        {
            var (small, large) = (encode(20), encode(95));
            Assert.True(small.Length < large.Length / 2, $"{small.Length} and {large.Length} bytes");
            Assert.True(Pictures.MeanDifference(picture, ImageDecoder.Decode(small)) > Pictures.MeanDifference(picture, ImageDecoder.Decode(large)));
        }

        Assert.True(PngEncoder.Encode(picture, compression: CompressionLevel.SmallestSize).Length < PngEncoder.Encode(picture, compression: CompressionLevel.NoCompression).Length);
        Assert.Equal(picture.Rgb, ImageDecoder.Decode(PngEncoder.Encode(picture, compression: CompressionLevel.Fastest)).Rgb);
    }

    [Fact]
    public void A_progressive_jpeg_has_the_pixels_of_a_baseline_one()
    {
        var picture = Pictures.Smooth(70, 50);
        byte[] progressive = JpegEncoder.Encode(picture, 90, progressive: true);

        Assert.NotEqual(-1, progressive.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC2]));
        Assert.Equal(ImageDecoder.Decode(JpegEncoder.Encode(picture, 90)).Rgb, ImageDecoder.Decode(progressive).Rgb);
    }

    [Fact]
    public void Full_colour_keeps_thin_red_lines()
    {
        var lines = Pictures.From(64, 64, (x, _) => x % 2 == 0 ? new Rgb(255, 0, 0) : new Rgb(0, 0, 255));

        double full = Pictures.MeanDifference(lines, ImageDecoder.Decode(JpegEncoder.Encode(lines, 85, fullColour: true)));
        double halved = Pictures.MeanDifference(lines, ImageDecoder.Decode(JpegEncoder.Encode(lines, 85)));

        Assert.True(full < halved / 3, $"{full} and {halved}");
    }

    [Fact]
    public void The_same_picture_gives_the_same_bytes() =>
        Assert.All((Func<byte[]>[])[() => WebPEncoder.Encode(Pictures.Noise(40, 30, 2)), () => JpegEncoder.Encode(Pictures.Noise(40, 30, 2))], encode => Assert.Equal(encode(), encode()));

    [Theory]
    [InlineData(0, 4)]
    [InlineData(101, 4)]
    [InlineData(80, 7)]
    [InlineData(80, -1)]
    public void A_webp_option_out_of_range_is_refused(int quality, int effort) =>
        Assert.Throws<ImageException>(() => WebPEncoder.Encode(Pictures.Smooth(8, 8), quality, effort: effort));

    [Fact]
    public void A_webp_of_too_long_a_side_is_refused() =>
        Assert.Contains("16,383", Assert.Throws<ImageException>(() => WebPEncoder.Encode(Pictures.Smooth(16_384, 1))).Message, StringComparison.Ordinal);

    [Fact]
    public void Cmyk_becomes_rgb()
    {
        var picture = ImageDecoder.Decode(TestFiles.CmykJpeg);

        Assert.Equal((16, 8), (picture.Width, picture.Height));
        Near(new Rgb(255, 255, 255), picture.Pixel(1, 4));
        Near(new Rgb(38, 36, 40), picture.Pixel(6, 4)); // black ink alone is no full black
        Near(new Rgb(236, 33, 40), picture.Pixel(10, 4));
        Near(new Rgb(30, 40, 125), picture.Pixel(14, 4));

        static void Near(Rgb expected, Rgb found) =>
            Assert.True(Math.Abs(expected.R - found.R) <= 14 && Math.Abs(expected.G - found.G) <= 14 && Math.Abs(expected.B - found.B) <= 14, $"{expected} and {found}");
    }

    [Fact]
    public void The_alpha_of_a_webp_mixes_with_the_background()
    {
        var picture = ImageDecoder.Decode(TestFiles.AlphaWebP, new DecodeOptions { Background = new Rgb(0, 255, 0) });

        Assert.Equal(new Rgb(0, 255, 0), picture.Pixel(0, 0)); // wholly transparent
        Assert.InRange(picture.Pixel(23, 15).R, 210, 250);     // wholly opaque: red 230
        Assert.InRange(picture.Pixel(23, 15).B, 50, 110);
    }
}
