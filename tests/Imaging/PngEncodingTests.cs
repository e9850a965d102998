using System.Text;

namespace Recsys.Imaging.Tests;

public sealed class PngEncodingTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(32, 32)]
    [InlineData(77, 13)]
    public void A_round_trip_is_exact(int width, int height)
    {
        var noise = Pictures.Noise(width, height, seed: width);

        var back = ImageDecoder.Decode(PngEncoder.Encode(noise.Rgb, width, height));

        Assert.Equal((width, height), (back.Width, back.Height));
        Assert.Equal(noise.Rgb, back.Rgb);
    }

    [Fact]
    public void Text_is_read_back_and_changes_no_pixel()
    {
        var noise = Pictures.Noise(16, 16, seed: 1);
        var text = new Dictionary<string, string>
        {
            ["recipe"] = "pixel-32",
            ["seed"] = "18446744073709551615",
            ["Title"] = "Größe", // Latin-1
            ["Comment"] = "雪だるま ☃\nline two", // needs iTXt
            ["empty"] = "",
        };

        var png = PngEncoder.Encode(noise, text);

        Assert.Equal(text.OrderBy(pair => pair.Key), PngEncoder.ReadText(png).OrderBy(pair => pair.Key));
        Assert.Equal(noise.Rgb, ImageDecoder.Decode(png).Rgb);
        Assert.NotEqual(-1, png.AsSpan().IndexOf("iTXtComment"u8));
        Assert.NotEqual(-1, png.AsSpan().IndexOf("tEXtseed"u8));
    }

    [Fact]
    public void Checksums_are_those_of_the_specification()
    {
        // CRC-32 of "IEND" alone is a constant of every PNG file.
        var png = PngEncoder.Encode(Pictures.Smooth(4, 4), new Dictionary<string, string> { ["k"] = "v" });

        Assert.Equal([0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82], png[^8..]);
        using var expected = new MemoryStream();
        TestPng.Chunk(expected, "tEXt"u8, Encoding.Latin1.GetBytes("k\0v"));
        Assert.NotEqual(-1, png.AsSpan().IndexOf(expected.ToArray()));
    }

    [Fact]
    public void The_same_picture_gives_the_same_bytes() =>
        Assert.Equal(PngEncoder.Encode(Pictures.Noise(40, 40, 8)), PngEncoder.Encode(Pictures.Noise(40, 40, 8)));

    [Theory]
    [InlineData("")]
    [InlineData(" seed")]
    [InlineData("two  spaces")]
    [InlineData("zero\0byte")]
    [InlineData("Größe")]
    public void A_wrong_keyword_is_refused(string keyword) =>
        Assert.Contains("keyword", Assert.Throws<ImageException>(() => PngEncoder.Encode(Pictures.Smooth(4, 4), new Dictionary<string, string> { [keyword] = "x" })).Message, StringComparison.Ordinal);

    [Fact]
    public void An_array_of_the_wrong_length_is_refused() =>
        Assert.Contains("needs 48 bytes", Assert.Throws<ImageException>(() => PngEncoder.Encode(new byte[47], 4, 4)).Message, StringComparison.Ordinal);
}
