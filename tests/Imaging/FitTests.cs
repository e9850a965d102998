namespace Recsys.Imaging.Tests;

public sealed class FitTests
{
    private static readonly Rgb Left = new(250, 10, 10), Middle = new(10, 250, 10), Right = new(10, 10, 250), Ground = new(1, 2, 3);

    // 90 × 30: three squares side by side.
    private static readonly Picture Three = Pictures.From(90, 30, (x, _) => x < 30 ? Left : x < 60 ? Middle : Right);

    [Fact]
    public void Cover_keeps_the_middle_and_fills_the_frame()
    {
        var square = Fit(PngEncoder.Encode(Three), 30, 30, ImageFit.Cover);

        Assert.All(Enumerable.Range(2, 26), x => Assert.Equal(Middle, square.Pixel(x, 15)));
    }

    [Fact]
    public void Contain_shows_all_of_it_on_the_background()
    {
        var square = Fit(PngEncoder.Encode(Three), 30, 30, ImageFit.Contain);

        Assert.Equal([Ground, Ground, Left, Middle, Right], [square.Pixel(4, 3), square.Pixel(25, 26), square.Pixel(4, 15), square.Pixel(15, 15), square.Pixel(25, 15)]);
    }

    [Fact]
    public void Stretch_does_not_keep_proportions()
    {
        var square = Fit(PngEncoder.Encode(Three), 30, 30, ImageFit.Stretch);

        Assert.Equal([Left, Middle, Right], [square.Pixel(4, 2), square.Pixel(15, 2), square.Pixel(25, 27)]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void A_turned_picture_fits_its_frame_as_the_upright_one_does(int orientation)
    {
        var stored = Pictures.Smooth(64, 40);
        byte[] jpeg = JpegDecodingTests.WithOrientation(JpegEncoder.Encode(stored, 95), orientation);
        byte[] upright = PngEncoder.Encode(ImageDecoder.Decode(jpeg));
        foreach (ImageFit fit in Enum.GetValues<ImageFit>())
        {
            foreach (var (width, height) in new[] { (20, 20), (31, 17), (15, 28), (64, 40), (80, 100) })
            {
                Picture expected = Fit(upright, width, height, fit), found = Fit(jpeg, width, height, fit);
                Assert.Equal((width, height), (found.Width, found.Height));
                Assert.InRange(Pictures.MeanDifference(expected, found), 0, 3.2); // enlarging samples a little off the mirror image; one pixel off is 3.6
            }
        }
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(5, 4097)]
    public void A_frame_out_of_range_is_refused(int width, int height) =>
        Assert.Contains("4096", Assert.Throws<ImageException>(() => ImageDecoder.DecodeFit(PngEncoder.Encode(Three), width, height)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_batch_goes_straight_into_the_callers_memory_in_either_type_and_layout()
    {
        byte[]?[] files = [.. TestFiles.EachKind.Values, null, [1, 2, 3]];
        int count = files.Length, good = count - 2, plane = 20 * 14, stride = 3 * plane;
        var options = new DecodeOptions { Background = Ground };
        foreach (ImageFit fit in Enum.GetValues<ImageFit>())
        {
            var (bytes, floats, nhwc) = (new byte[count * stride], new float[(count * stride) + 5], new byte[count * stride]);
            Array.Fill(floats, 7f);

            var (present, errors) = ImageBatch.LoadInto(i => files[i], count, 20, 14, bytes, fit: fit, options: options);
            ImageBatch.LoadInto(i => files[i], count, 20, 14, floats.AsMemory(0, count * stride), 0, 1, fit: fit, options: options);
            ImageBatch.LoadInto(i => files[i], count, 20, 14, nhwc, BatchLayout.Nhwc, fit, options);

            Assert.Equal([.. Enumerable.Repeat(true, good), false, false], present);
            Assert.All(errors.Take(good + 1), Assert.Null);
            Assert.StartsWith($"picture {count - 1}: Not a picture", errors[^1], StringComparison.Ordinal);
            Assert.Equal([7f, 7f, 7f, 7f, 7f], floats[^5..]);
            for (int item = 0; item < count; item++)
            {
                Picture alone = item < good ? ImageDecoder.DecodeFit(files[item], 20, 14, fit, options) : Picture.Solid(20, 14, Ground);
                Assert.Equal(alone.Rgb, nhwc[(item * stride)..((item + 1) * stride)]);
                for (int at = 0; at < stride; at++)
                {
                    byte value = alone.Rgb[(at % plane * 3) + (at / plane)];
                    Assert.Equal(value, bytes[(item * stride) + at]);
                    Assert.Equal(value / 255f, floats[(item * stride) + at], 1e-6);
                }
            }
        }

        Assert.Contains("need 840 values, not 839", Assert.Throws<ImageException>(() => ImageBatch.LoadInto(_ => null, 1, 20, 14, new byte[839])).Message, StringComparison.Ordinal);
    }

    private static Picture Fit(byte[] file, int width, int height, ImageFit fit) => ImageDecoder.DecodeFit(file, width, height, fit, new DecodeOptions { Background = Ground });
}
