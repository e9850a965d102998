namespace Recsys.Imaging.Tests;

public sealed class PngEncoderTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(32, 32)]
    [InlineData(77, 13)]
    public void A_round_trip_is_exact(int width, int height)
    {
        var noise = Pictures.Noise(width, height, seed: width);

        var back = ImageDecoder.Decode(PngEncoder.Encode(noise));

        Assert.Equal((width, height), (back.Width, back.Height));
        Assert.Equal(noise.Rgb, back.Rgb);
    }

    [Fact]
    public void Texts_stand_in_plain_chunks_in_order_and_change_no_pixel()
    {
        var noise = Pictures.Noise(16, 16, seed: 1);
        var texts = new Dictionary<string, string>
        {
            ["seed"] = "18446744073709551615",
            ["recipe"] = "pixel-32",
            ["Title"] = "Größe", // Latin-1
            ["Comment"] = "雪だるま ☃\nline two", // needs iTXt
            ["two words"] = "",
        };

        byte[] png = PngEncoder.Encode(noise, texts);

        var found = TestPng.Texts(png).ToArray();
        var sorted = texts.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => (t.Key, t.Value));
        Assert.Equal(sorted, found.Select(t => (t.Keyword, t.Text)));
        Assert.Equal(["Comment"], found.Where(t => t.Type == "iTXt").Select(t => t.Keyword));
        Assert.Equal(noise.Rgb, ImageDecoder.Decode(png).Rgb);
        using var other = NetVips.Image.NewFromBuffer(png); // libpng shows them too
        Assert.Contains("pixel-32", other.GetFields().Where(f => f.StartsWith("png-comment", StringComparison.Ordinal)).Select(other.Get));
    }

    [Fact]
    public void The_same_picture_gives_the_same_bytes() =>
        Assert.Equal(PngEncoder.Encode(Pictures.Noise(40, 40, 8)), PngEncoder.Encode(Pictures.Noise(40, 40, 8)));

    [Theory]
    [InlineData("", "x")]
    [InlineData(" seed", "x")]
    [InlineData("zero\0byte", "x")]
    [InlineData("Größe", "x")]
    [InlineData("seed", "zero\0byte")]
    public void A_wrong_text_is_refused(string keyword, string text)
    {
        var texts = new Dictionary<string, string> { [keyword] = text };
        Assert.Contains("keyword", Pictures.Refusal(() => PngEncoder.Encode(Pictures.Smooth(4, 4), texts)));
    }
}
