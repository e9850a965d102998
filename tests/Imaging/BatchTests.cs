namespace Recsys.Imaging.Tests;

public sealed class BatchTests
{
    private static readonly byte[][] Files = [.. Enumerable.Range(0, 40).Select(seed => seed % 2 == 0
        ? PngEncoder.Encode(Pictures.Noise(20 + seed, 33, seed))
        : JpegEncoder.Encode(Pictures.Noise(64, 20 + seed, seed)))];

    [Fact]
    public void A_parallel_batch_has_the_bytes_of_one_by_one()
    {
        var batch = ImageBatch.Load(item => Files[item % 40], 400, 24, BatchLayout.Nhwc);

        Assert.All(batch.Present, Assert.True);
        for (int item = 0; item < 400; item++)
        {
            Assert.Equal(ImageDecoder.DecodeSquare(Files[item % 40], 24, Rgb.White).Rgb, batch.Picture(item).Rgb);
        }
    }

    [Fact]
    public void Channels_first_holds_the_same_pictures()
    {
        var (first, last) = (ImageBatch.Load(item => Files[item], 40, 16), ImageBatch.Load(item => Files[item], 40, 16, BatchLayout.Nhwc));

        Assert.All(Enumerable.Range(0, 40), item => Assert.Equal(last.Picture(item).Rgb, first.Picture(item).Rgb));
        Assert.Equal(last.Pixels[1], first.Pixels[16 * 16]); // green of the first pixel
    }

    [Fact]
    public void Missing_and_damaged_items_are_reported_and_show_the_background()
    {
        byte[]?[] files = [Files[0], null, [1, 2, 3], Files[1][..60]];

        var batch = ImageBatch.Load(item => files[item], 4, 8, options: new DecodeOptions { Background = new Rgb(7, 7, 7) }, name: item => $"images/{item}.png");

        Assert.Equal([true, false, false, false], batch.Present);
        Assert.Null(batch.Errors[0]);
        Assert.Null(batch.Errors[1]);
        Assert.StartsWith("images/2.png: Not a picture", batch.Errors[2], StringComparison.Ordinal);
        Assert.StartsWith("images/3.png: ", batch.Errors[3], StringComparison.Ordinal);
        Assert.All(batch.Pixels.Skip(batch.Stride), value => Assert.Equal(7, value));
    }

    [Fact]
    public void A_picture_that_decodes_at_the_second_attempt_is_kept()
    {
        int asked = 0;

        var batch = ImageBatch.Load(item => item == 1 && Interlocked.Increment(ref asked) == 1 ? Files[1][..60] : Files[item], 3, 8, BatchLayout.Nhwc);

        Assert.Equal([true, true, true], batch.Present);
        Assert.All(batch.Errors, Assert.Null);
        Assert.Equal(ImageDecoder.DecodeSquare(Files[1], 8, Rgb.White).Rgb, batch.Picture(1).Rgb);
    }

    [Fact]
    public void Each_damaged_picture_is_reported_with_its_own_fault()
    {
        var files = Enumerable.Range(0, 200).Select(item => item % 4 == 0 ? Files[item % 40][..^(20 + (item % 7))] : item % 4 == 1 ? Damage(Files[item % 40], item) : Files[item % 40]).ToArray();

        var batch = ImageBatch.Load(item => files[item], files.Length, 16);

        Assert.InRange(batch.Errors.Count(error => error is not null), 50, 110);
        for (int item = 0; item < files.Length; item++)
        {
            string? alone = null;
            try
            {
                ImageDecoder.DecodeSquare(files[item], 16, new DecodeOptions { File = $"picture {item}" });
            }
            catch (ImageException fault)
            {
                alone = fault.Message;
            }

            Assert.Equal(alone, batch.Errors[item]);
            Assert.Equal(alone is null, batch.Present[item]);
        }

        static byte[] Damage(byte[] file, int seed)
        {
            var damaged = (byte[])file.Clone();
            damaged[file.Length / 2] ^= (byte)(1 + (seed % 255));
            return damaged;
        }
    }

    [Fact]
    public void Floats_map_0_and_255_onto_the_ends()
    {
        var png = PngEncoder.Encode(Pictures.From(2, 2, (x, _) => x == 0 ? Rgb.Black : Rgb.White));

        var floats = ImageBatch.Load(_ => png, 1, 2).ToFloats();

        Assert.Equal([-1f, 1f, -1f, 1f, -1f, 1f, -1f, 1f, -1f, 1f, -1f, 1f], floats);
    }

    [Fact]
    public void A_fault_of_the_reader_itself_is_not_swallowed() =>
        Assert.Throws<AggregateException>(() => ImageBatch.Load(_ => throw new IOException("disk"), 3, 8));

    [Fact]
    public void A_batch_that_fits_no_array_is_refused() =>
        Assert.Contains("load it in parts", Assert.Throws<ImageException>(() => ImageBatch.Load(_ => null, int.MaxValue, 64)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_grid_shows_each_picture_in_its_cell()
    {
        var (red, blue) = (new Rgb(255, 0, 0), new Rgb(0, 0, 255));

        var grid = PictureGrid.Build([Picture.Solid(9, 9, red), null, Picture.Solid(30, 15, blue)], columns: 2, cell: 10, gap: 2);

        Assert.Equal((26, 26), (grid.Width, grid.Height));
        Assert.Equal(red, grid.Pixel(7, 7));
        Assert.Equal(Rgb.White, grid.Pixel(19, 7));
        Assert.Equal(Rgb.White, grid.Pixel(7, 14)); // above the wide picture
        Assert.Equal(blue, grid.Pixel(7, 19));
        Assert.Throws<ImageException>(() => PictureGrid.Build([], 2, 10));
    }
}
