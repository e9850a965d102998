namespace Recsys.Imaging.Tests;

public sealed class JpegDecodingTests
{
    // As EXIF defines it: the stored row 0 and column 0 are, in the upright picture, …
    private static readonly Dictionary<int, Func<int, int, int, int, (int X, int Y)>> StoredToUpright = new()
    {
        [1] = (x, y, _, _) => (x, y),                         // top, left
        [2] = (x, y, w, _) => (w - 1 - x, y),                 // top, right
        [3] = (x, y, w, h) => (w - 1 - x, h - 1 - y),         // bottom, right
        [4] = (x, y, _, h) => (x, h - 1 - y),                 // bottom, left
        [5] = (x, y, _, _) => (y, x),                         // left, top
        [6] = (x, y, _, h) => (h - 1 - y, x),                 // right, top
        [7] = (x, y, w, h) => (h - 1 - y, w - 1 - x),         // right, bottom
        [8] = (x, y, w, _) => (y, w - 1 - x),                 // left, bottom
    };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void The_picture_is_turned_upright_by_its_exif_orientation(int orientation)
    {
        var stored = Pictures.From(48, 32, (x, y) => new Rgb((byte)(x < 24 ? 250 : 20), (byte)(y < 16 ? 250 : 20), 128));
        var jpeg = WithOrientation(JpegEncoder.Encode(stored, 95), orientation);

        var upright = ImageDecoder.Decode(jpeg);

        bool sideways = orientation >= 5;
        Assert.Equal(sideways ? (32, 48) : (48, 32), (upright.Width, upright.Height));
        Assert.Equal(orientation, ImageDecoder.Probe(jpeg).Orientation);
        foreach (var (x, y) in new[] { (3, 3), (44, 3), (3, 28), (44, 28) })
        {
            var (toX, toY) = StoredToUpright[orientation](x, y, 48, 32);
            var (want, got) = (stored.Pixel(x, y), upright.Pixel(toX, toY));
            Assert.InRange(got.R, want.R - 12, want.R + 12);
            Assert.InRange(got.G, want.G - 12, want.G + 12);
        }

        Assert.Equal((48, 32), ((Func<Picture, (int, int)>)(p => (p.Width, p.Height)))(ImageDecoder.Decode(jpeg, new DecodeOptions { Upright = false })));
    }

    [Fact]
    public void A_round_trip_at_high_quality_changes_values_by_one_or_two()
    {
        var picture = Pictures.Smooth(97, 61);

        var back = ImageDecoder.Decode(JpegEncoder.Encode(picture, 98));

        Assert.Equal((97, 61), (back.Width, back.Height));
        Assert.InRange(Pictures.MeanDifference(picture, back), 0, 1.5);
    }

    [Fact]
    public void Shrinking_while_decoding_agrees_with_decoding_first()
    {
        var picture = Pictures.Smooth(1600, 1200);
        var jpeg = JpegEncoder.Encode(picture, 95);

        var quick = ImageDecoder.DecodeSquare(jpeg, 40, Rgb.White);
        var slow = ImageResizer.Resize(picture, 40, 30).PadToSquare(Rgb.White);

        Assert.InRange(Pictures.MeanDifference(quick, slow), 0, 1.5);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(101)]
    public void A_quality_out_of_range_is_refused(int quality) =>
        Assert.Contains("quality", Assert.Throws<ImageException>(() => JpegEncoder.Encode(Pictures.Smooth(8, 8), quality)).Message, StringComparison.Ordinal);

    internal static byte[] WithOrientation(byte[] jpeg, int orientation)
    {
        byte[] tiff =
        [
            0x4D, 0x4D, 0, 42, 0, 0, 0, 8, // big endian, first directory at 8
            0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0,
        ];
        byte[] body = [.. "Exif\0\0"u8, .. tiff];
        int length = body.Length + 2;
        return [jpeg[0], jpeg[1], 0xFF, 0xE1, (byte)(length >> 8), (byte)length, .. body, .. jpeg[2..]];
    }
}
