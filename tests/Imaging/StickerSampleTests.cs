using System.IO.Compression;

namespace Recsys.Imaging.Tests;

public sealed class StickerSampleTests
{
    [Fact]
    public void Every_bundled_sticker_decodes_to_32_by_32_and_is_not_blank()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Recsys.sln")))
        {
            at = at.Parent!;
        }

        using var zip = ZipFile.OpenRead(Path.Combine(at.FullName, "samples", "stickers", "images.zip"));

        var batch = ImageBatch.Load(item => Read(zip.Entries[item]), zip.Entries.Count, 32, BatchLayout.Nhwc, name: item => zip.Entries[item].FullName);

        Assert.True(batch.Count >= 1000);
        Assert.All(batch.Errors, Assert.Null);
        Assert.All(Enumerable.Range(0, batch.Count), item =>
        {
            var info = ImageDecoder.Probe(Read(zip.Entries[item]));
            Assert.Equal((ImageFormat.Png, 32, 32, 3), (info.Format, info.Width, info.Height, info.Channels));
            Assert.True(batch.Picture(item).Rgb.Distinct().Count() > 2);
        });
    }

    private static byte[] Read(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
