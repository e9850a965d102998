using System.IO.Compression;

namespace Recsys.Imaging.Tests;

public sealed class BatchTests
{
    private static readonly byte[][] Files = [.. Enumerable.Range(0, 20).SelectMany<int, byte[]>(seed =>
        [PngEncoder.Encode(Pictures.Noise(20 + seed, 33, seed)), TestFiles.Jpeg(Pictures.Noise(64, 20 + seed, seed))])];

    [Fact]
    public void A_parallel_batch_has_the_bytes_of_one_by_one_in_planes()
    {
        var batch = ImageBatch.Load(item => Files[item % Files.Length], 400, 24);

        Assert.All(batch.Present, Assert.True);
        for (int item = 0; item < 400; item++)
        {
            byte[] rgb = ImageDecoder.Decode(Files[item % Files.Length], 24, 24).Rgb;
            var planes = from channel in Enumerable.Range(0, 3) from at in Enumerable.Range(0, 24 * 24) select rgb[(3 * at) + channel];
            Assert.Equal(planes, batch.Pixels.AsSpan(item * batch.Stride, batch.Stride).ToArray());
        }
    }

    [Fact]
    public void Missing_and_damaged_items_are_reported_each_with_its_own_fault_and_are_white()
    {
        byte[]?[] files = [Files[0], null, [1, 2, 3], Files[1][..60], Files[2][..60]];

        var batch = ImageBatch.Load(item => files[item % 5], 200, 8);

        for (int item = 0; item < 200; item++)
        {
            string? alone = item % 5 < 2 ? null : Pictures.Refusal(() => ImageDecoder.Decode(files[item % 5], 8, 8));
            Assert.Equal((item % 5 == 0, alone), (batch.Present[item], batch.Errors[item]));
            Assert.Equal(item % 5 != 0, batch.Pixels.Skip(item * batch.Stride).Take(batch.Stride).All(value => value == 255));
        }
    }

    [Fact]
    public void Floats_of_the_decoded_pictures_map_0_and_255_onto_the_ends()
    {
        var png = PngEncoder.Encode(Pictures.From(2, 2, (x, _) => x == 0 ? default : Rgb.White));

        var batch = ImageBatch.Load(item => item == 1 ? png : null, 3, 2);

        Assert.Equal([-1f, 1f, -1f, 1f, -1f, 1f, -1f, 1f, -1f, 1f, -1f, 1f], batch.ToFloats());
    }

    [Fact]
    public void A_fault_of_the_reader_itself_ends_the_batch() =>
        Assert.Throws<IOException>(() => ImageBatch.Load(_ => throw new IOException("disk"), 3, 8));

    [Fact]
    public void A_cancelled_batch_ends() =>
        Assert.ThrowsAny<OperationCanceledException>(() => ImageBatch.Load(_ => null, 3, 8, cancel: new CancellationToken(true)));

    [Fact]
    public void A_batch_that_fits_no_array_is_refused() =>
        Assert.Contains("load them in parts", Pictures.Refusal(() => ImageBatch.Load(_ => null, int.MaxValue, 64)));

    [Fact]
    public void Every_bundled_sticker_decodes_and_is_not_blank()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Recsys.sln")))
        {
            at = at.Parent!;
        }

        using var zip = ZipFile.OpenRead(Path.Combine(at.FullName, "samples", "stickers", "images.zip"));
        var batch = ImageBatch.Load(item => Read(zip.Entries[item]), zip.Entries.Count, 32);

        Assert.True(zip.Entries.Count >= 1000);
        Assert.All(batch.Errors, Assert.Null);
        Assert.All(batch.Pixels.Chunk(batch.Stride), sticker => Assert.True(sticker.Distinct().Count() > 2));
    }

    private static byte[] Read(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
