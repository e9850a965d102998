using System.IO.Compression;
using Recsys.Catalog;

namespace Recsys.Datasets.Tests;

public sealed class ImageSourceTests
{
    private static readonly byte[][] Pictures =
    [
        .. Enumerable.Range(0, 200)
            .Select(item => Enumerable.Range(0, 100 + (37 * item)).Select(at => (byte)(at * (item + 1))).ToArray()),
    ];

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Optimal)]
    public void Pictures_in_an_archive_are_read_by_many_threads_at_once(CompressionLevel level)
    {
        using var folder = Folder(withImageColumn: true).With("images.zip", Archive(level));
        using var dataset = Dataset.Open(folder.Path);
        Parallel.For(0, 2000, draw =>
        {
            int item = draw * 7919 % 201;
            Assert.Equal(item < 200, dataset.Images!.Has(item));
            Assert.Equal(item < 200 ? Pictures[item] : null, dataset.Images.Read(item));
        });
    }

    [Fact]
    public void Where_no_item_names_its_picture_one_is_found_by_the_items_id()
    {
        using var folder = Folder(withImageColumn: false).With("images.zip", Archive(CompressionLevel.Optimal));
        using var dataset = Dataset.Open(folder.Path);
        Assert.Equal(Pictures[17], dataset.Images!.Read(17));
        Assert.Null(dataset.Images.Read(200));
    }

    [Fact]
    public void A_folder_of_pictures_reads_as_the_archive_does()
    {
        using var folder = Folder(withImageColumn: true);
        for (int item = 0; item < 200; item++)
        {
            folder.With($"images/{item % 3}/i{item}.png", Pictures[item]);
        }

        using var dataset = Dataset.Open(folder.Path);
        Assert.Equal(Pictures[199], dataset.Images!.Read(199));
        Assert.False(dataset.Images.Has(200));
    }

    [Fact]
    public void A_dataset_without_pictures_has_no_image_source()
    {
        using var folder = Folder(withImageColumn: false);
        using var dataset = Dataset.Open(folder.Path);
        Assert.Null(dataset.Images);
    }

    [Fact]
    public void Every_flipped_byte_of_a_picture_is_found_by_its_checksum()
    {
        byte[] archive = Archive(CompressionLevel.NoCompression, 1);
        int start = archive.AsSpan().IndexOf(Pictures[0]);
        for (int at = start; at < start + Pictures[0].Length; at++)
        {
            byte[] damaged = [.. archive];
            damaged[at] ^= 0x10;
            using var folder = Folder(withImageColumn: true).With("images.zip", damaged);
            using var dataset = Dataset.Open(folder.Path);
            Assert.Equal(Fault.DataLoss, Assert.Throws<CatalogException>(() => dataset.Images!.Read(0)).Fault);
        }
    }

    [Fact]
    public void No_damaged_or_truncated_archive_gives_anything_but_a_typed_error_or_the_right_picture()
    {
        byte[] archive = Archive(CompressionLevel.Optimal, 3);
        var random = new Random(5);
        for (int trial = 0; trial < 450; trial++)
        {
            byte[] damaged = trial % 3 == 0 ? archive[..random.Next(archive.Length)] : [.. archive];
            if (trial % 3 != 0)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            using var folder = Folder(withImageColumn: true).With("images.zip", damaged);
            using var dataset = Dataset.Open(folder.Path);
            try
            {
                var images = dataset.Images!;
                for (int item = 0; item < 3; item++)
                {
                    byte[]? picture = images.Read(item);
                    Assert.True(picture is null || picture.AsSpan().SequenceEqual(Pictures[item]));
                }
            }
            catch (CatalogException)
            {
                // Found.
            }
        }
    }

    private static TemporaryFolder Folder(bool withImageColumn) => new TemporaryFolder()
        .With("dataset.json", """{"name": "t", "format": 1}""")
        .With(
            "items.tsv",
            (withImageColumn ? "id\timage\n" : "id\n") + string.Concat(
                Enumerable.Range(0, 201).Select(item => withImageColumn ? $"i{item}\ti{item}.png\n" : $"i{item}\n")));

    private static byte[] Archive(CompressionLevel level, int count = 200)
    {
        using var memory = new MemoryStream();
        using (var archive = new ZipArchive(memory, ZipArchiveMode.Create))
        {
            for (int item = 0; item < count; item++)
            {
                using var entry = archive.CreateEntry($"pictures/i{item}.png", level).Open();
                entry.Write(Pictures[item]);
            }
        }

        return memory.ToArray();
    }
}
