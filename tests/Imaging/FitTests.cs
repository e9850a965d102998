namespace Recsys.Imaging.Tests;

public sealed class FitTests
{
    private static readonly Rgb Left = new(250, 10, 10), Middle = new(10, 250, 10), Right = new(10, 10, 250);

    // 90 × 30: three squares side by side.
    private static readonly byte[] Three = PngEncoder.Encode(Pictures.From(90, 30, (x, _) => x < 30 ? Left : x < 60 ? Middle : Right));

    // As EXIF defines it: where pixel (x, y) of the stored picture of w × h lies in the upright one.
    private static readonly Dictionary<int, Func<int, int, int, int, (int X, int Y)>> Upright = new()
    {
        [1] = (x, y, _, _) => (x, y),
        [2] = (x, y, w, _) => (w - 1 - x, y),
        [3] = (x, y, w, h) => (w - 1 - x, h - 1 - y),
        [4] = (x, y, _, h) => (x, h - 1 - y),
        [5] = (x, y, _, _) => (y, x),
        [6] = (x, y, _, h) => (h - 1 - y, x),
        [7] = (x, y, w, h) => (h - 1 - y, w - 1 - x),
        [8] = (x, y, w, _) => (y, w - 1 - x),
    };

    public static TheoryData<int> Orientations => [.. Upright.Keys];

    [Theory]
    [MemberData(nameof(Orientations))]
    public void The_picture_is_turned_upright_by_its_exif_orientation(int orientation)
    {
        var stored = Pictures.Noise(7, 5, seed: 9);
        byte[] png = PngEncoder.Encode(stored);
        byte[] turned = [.. png[..33], .. TestPng.Chunk("eXIf", TestFiles.Exif(orientation)), .. png[33..]];

        var upright = ImageDecoder.Decode(turned);

        Assert.Equal(orientation >= 5 ? (5, 7) : (7, 5), (upright.Width, upright.Height));
        foreach (var (x, y) in from y in Enumerable.Range(0, 5) from x in Enumerable.Range(0, 7) select (x, y))
        {
            var (toX, toY) = Upright[orientation](x, y, 7, 5);
            Assert.Equal(stored.Pixel(x, y), upright.Pixel(toX, toY));
        }
    }

    [Theory]
    [MemberData(nameof(Orientations))]
    public void A_turned_jpeg_fits_its_frame_as_the_upright_picture_does(int orientation)
    {
        byte[] jpeg = TestFiles.Turned(TestFiles.Jpeg(Pictures.Smooth(64, 40)), orientation);
        byte[] upright = PngEncoder.Encode(ImageDecoder.Decode(jpeg));
        foreach (var (width, height) in new[] { (20, 20), (31, 17), (15, 28), (64, 40), (80, 100) })
        {
            var (expected, found) = (ImageDecoder.Decode(upright, width, height), ImageDecoder.Decode(jpeg, width, height));

            Assert.Equal((width, height), (found.Width, found.Height));
            // A centre between two pixels is rounded before the turn or after it.
            Assert.InRange(Pictures.MeanDifference(expected, found), 0, 3.2);
        }
    }

    [Fact]
    public void A_frame_of_another_shape_shows_all_of_it_on_white()
    {
        var square = ImageDecoder.Decode(Three, 30, 30);

        var (above, below) = (square.Pixel(4, 9), square.Pixel(25, 20));
        Assert.Equal([Rgb.White, Rgb.White], [above, below]);
        Assert.Equal([Left, Middle, Right], [square.Pixel(4, 15), square.Pixel(15, 15), square.Pixel(25, 15)]);
        Assert.Equal([Left, Left], [square.Pixel(4, 10), square.Pixel(4, 19)]);
    }

    [Fact]
    public void Shrinking_while_decoding_agrees_with_decoding_first()
    {
        var picture = Pictures.Smooth(1600, 1200);

        var quick = ImageDecoder.Decode(TestFiles.Jpeg(picture), 40, 30);

        Assert.InRange(Pictures.MeanDifference(quick, ImageResizer.Resize(picture, 40, 30)), 0, 1.5);
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(5, 4097)]
    public void A_frame_out_of_range_is_refused(int width, int height)
    {
        Assert.Contains("1 to 4096", Pictures.Refusal(() => ImageDecoder.Decode(Three, width, height)));
        Assert.Contains("1 to 4096", Pictures.Refusal(() => ImageResizer.Resize(Pictures.Smooth(4, 4), width, height)));
    }
}
