using System.Buffers.Binary;
using System.Text;

namespace Recsys.Imaging.Tests;

public sealed class HostileFileTests
{
    private static readonly bool Full = Environment.GetEnvironmentVariable("RECSYS_FULL") == "1";

    public static TheoryData<string> Formats => [.. TestFiles.EachKind.Keys];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_truncation_is_a_typed_error(string format)
    {
        var file = TestFiles.EachKind[format];
        Assert.NotNull(ImageDecoder.Decode(file));
        for (int length = 0; length < file.Length; length += format == "cmyk jpeg" ? 7 : 1)
        {
            try
            {
                ImageDecoder.Decode(file.AsSpan(0, length));
                Assert.Fail($"{length} of {file.Length} bytes were decoded.");
            }
            catch (ImageException)
            {
            }
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Damaged_files_give_a_picture_or_a_typed_error_in_little_memory(string format)
    {
        int rounds = (Full ? 200_000 : 2500) / (format == "cmyk jpeg" ? 10 : 1); // each of those makes a colour transform
        var file = TestFiles.EachKind[format];
        var random = new Random(11);
        var options = new DecodeOptions { MaxPixels = 100_000 };
        int decoded = 0, refused = 0;
        long before = 0, most = 0;
        for (int round = 0; round < rounds; round++)
        {
            byte[] damaged = Damage(file, random, format.Contains("png", StringComparison.Ordinal) && round % 2 == 0);
            try
            {
                var picture = round % 3 == 0 ? ImageDecoder.DecodeSquare(damaged, 16, options) : ImageDecoder.Decode(damaged, options);
                Assert.True((long)picture.Width * picture.Height <= options.MaxPixels);
                decoded++;
            }
            catch (ImageException)
            {
                refused++;
            }

            if (round % 250 == 0)
            {
                before = round == 0 ? Environment.WorkingSet : before;
                most = Math.Max(most, Environment.WorkingSet - before);
            }
        }

        Assert.Equal(rounds, decoded + refused);
        Assert.True(refused > rounds / 10, $"{refused} of {rounds} damaged files were refused.");
        Assert.InRange(most, long.MinValue, 200L << 20);
    }

    // Bits flipped, bytes set, pieces cut out or doubled; a PNG's checksums may be made to fit again, or little would get past them.
    private static byte[] Damage(byte[] file, Random random, bool mendChecksums)
    {
        var damaged = (byte[])file.Clone();
        for (int change = random.Next(1, 6); change > 0; change--)
        {
            int at = random.Next(damaged.Length);
            switch (random.Next(8))
            {
                case 0:
                    damaged[at] = (byte)random.Next(256);
                    break;
                case 1:
                    damaged[at] = random.Next(2) == 0 ? (byte)0xFF : (byte)0;
                    break;
                case 2:
                    damaged = [.. damaged[..at], .. damaged[Math.Min(damaged.Length, at + random.Next(1, 9))..], 0];
                    break;
                case 3:
                    damaged = [.. damaged[..at], .. damaged[Math.Max(0, at - 20)..at], .. damaged[at..]];
                    break;
                default:
                    damaged[at] ^= (byte)(1 << random.Next(8));
                    break;
            }
        }

        return mendChecksums ? TestPng.WithChecksums(damaged) : damaged;
    }

    [Fact]
    public void A_progressive_jpeg_with_thousands_of_scans_is_refused_at_once()
    {
        byte[] jpeg = JpegEncoder.Encode(Pictures.Smooth(2000, 2000), 50, progressive: true);
        int first = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xDA]), second = first + 2 + jpeg.AsSpan(first + 2).IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC4]);
        byte[] scan = jpeg[first..second];
        byte[] bomb = [.. jpeg[..second], .. Enumerable.Repeat(scan, 300).SelectMany(part => part), .. jpeg[second..]];
        var clock = System.Diagnostics.Stopwatch.StartNew();

        Assert.Contains("more than 100 scans", Assert.Throws<ImageException>(() => ImageDecoder.DecodeSquare(bomb, 32, Rgb.White)).Message, StringComparison.Ordinal);

        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 1);
        Assert.NotNull(ImageDecoder.DecodeSquare(jpeg, 32, Rgb.White));
    }

    [Fact]
    public void A_jpeg_of_a_hundred_thousand_segments_is_refused_at_once()
    {
        byte[] jpeg = JpegEncoder.Encode(Pictures.Smooth(16, 16));
        byte[] bomb = [.. jpeg[..2], .. Enumerable.Repeat<byte[]>([0xFF, 0xE5, 0, 4, 1, 2], 100_000).SelectMany(part => part), .. jpeg[2..]];

        Assert.Contains("16,384 segments", Assert.Throws<ImageException>(() => ImageDecoder.Decode(bomb)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_picture_that_must_be_held_whole_is_refused_above_its_own_limit()
    {
        byte[] interlaced = Bomb(6000, 6000, interlaced: true), narrow = Bomb(70_000, 2, interlaced: false);

        Assert.Contains("cannot be read row by row", Assert.Throws<ImageException>(() => ImageDecoder.DecodeSquare(interlaced, 8, Rgb.White)).Message, StringComparison.Ordinal);
        Assert.Contains("no side may have more than 65,535", Assert.Throws<ImageException>(() => ImageDecoder.DecodeSquare(narrow, 8, Rgb.White)).Message, StringComparison.Ordinal);
    }

    // A valid picture of 64 million pixels in 60 kB: decoded row by row, it must not take the 192 MB that its pixels have.
    [Fact]
    public void Bombs_within_the_limits_decode_in_bounded_memory_and_time()
    {
        byte[] bomb = Bomb(8000, 8000, interlaced: false);
        Assert.True(bomb.Length < 300_000);
        ImageBatch.Load(_ => PngEncoder.Encode(Pictures.Smooth(64, 64)), 16, 32);
        long before = Environment.WorkingSet, most = 0;
        using var watch = new Timer(_ => most = Math.Max(most, Environment.WorkingSet), null, 0, 5);
        var clock = System.Diagnostics.Stopwatch.StartNew();

        var batch = ImageBatch.Load(_ => bomb, 2, 32);

        Assert.All(batch.Present, Assert.True);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 30);
        Assert.InRange(most - before, long.MinValue, 96L << 20);
    }

    private static byte[] Bomb(int width, int height, bool interlaced)
    {
        using var png = new MemoryStream();
        png.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        TestPng.Chunk(png, "IHDR"u8, TestPng.Header(width, height, 8, TestPng.Colour, interlaced));
        TestPng.Chunk(png, "IDAT"u8, TestPng.Compress(new byte[((3L * width) + 1) * height]));
        TestPng.Chunk(png, "IEND"u8, []);
        return png.ToArray();
    }

    [Fact]
    public void A_header_that_claims_too_many_pixels_is_refused_before_anything_is_allocated()
    {
        using var png = new MemoryStream();
        png.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        TestPng.Chunk(png, "IHDR"u8, TestPng.Header(60_000, 60_000, 8, TestPng.ColourAlpha, interlaced: false));
        TestPng.Chunk(png, "IDAT"u8, [0x78, 0x9C, 0x03, 0, 0, 0, 0, 1]);
        TestPng.Chunk(png, "IEND"u8, []);
        var jpeg = JpegEncoder.Encode(Pictures.Smooth(16, 16));
        int frame = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 5), 60_000);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 7), 60_000);
        long before = Environment.WorkingSet;

        foreach (byte[] file in new[] { png.ToArray(), jpeg })
        {
            for (int round = 0; round < 20; round++)
            {
                var fault = Assert.Throws<ImageException>(() => ImageDecoder.DecodeSquare(file, 32, new DecodeOptions { File = "bomb" }));
                Assert.StartsWith("bomb: The header says 60000 × 60000 pixels", fault.Message, StringComparison.Ordinal);
            }
        }

        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 500L << 20);
    }

    [Fact]
    public void Pixels_that_inflate_far_beyond_the_picture_are_refused()
    {
        using var png = new MemoryStream();
        png.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        TestPng.Chunk(png, "IHDR"u8, TestPng.Header(8, 8, 8, TestPng.Colour, interlaced: false));
        TestPng.Chunk(png, "IDAT"u8, TestPng.Compress(new byte[128 << 20]));
        TestPng.Chunk(png, "IEND"u8, []);

        Assert.Contains("more compressed data than its pixels can need", Assert.Throws<ImageException>(() => ImageDecoder.Decode(png.ToArray())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_and_profiles_are_not_even_inflated()
    {
        var plain = TestPng.Encode(8, 8, 8, TestPng.Colour, (x, y, _) => x * y);
        using var png = new MemoryStream();
        png.Write(plain.AsSpan(0, 33));
        TestPng.Chunk(png, "iCCP"u8, [(byte)'x', 0, 0, .. "this is no zlib stream"u8]);
        TestPng.Chunk(png, "zTXt"u8, [(byte)'x', 0, 0, .. TestPng.Compress(new byte[1 << 20])]);
        TestPng.Chunk(png, "tEXt"u8, [0]); // no keyword
        png.Write(plain.AsSpan(33));

        Assert.Equal(ImageDecoder.Decode(plain).Rgb, ImageDecoder.Decode(png.ToArray()).Rgb);
    }

    [Fact]
    public void A_file_over_the_size_limit_is_refused() =>
        Assert.Contains("at most 100 are decoded", Assert.Throws<ImageException>(() => ImageDecoder.Decode(new byte[101], new DecodeOptions { MaxBytes = 100 })).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("GIF89a\u0001\0\u0001\0\0\0\0,\0\0\0\0\u0001\0\u0001\0\0\u0002\u0002D\u0001\0;")]
    [InlineData("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")]
    [InlineData("%PDF-1.7")]
    [InlineData("P6 1 1 255 abc")]
    [InlineData("")]
    public void Other_formats_are_refused_by_their_first_bytes(string content)
    {
        var fault = Assert.Throws<ImageException>(() => ImageDecoder.Decode(Encoding.Latin1.GetBytes(content), new DecodeOptions { File = "strange.bin" }));

        Assert.StartsWith("strange.bin: Not a picture in PNG, JPEG or WebP", fault.Message, StringComparison.Ordinal);
        Assert.Equal("strange.bin", fault.File);
    }

}
