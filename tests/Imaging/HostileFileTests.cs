using System.Buffers.Binary;
using System.Text;
using NetVips;

namespace Recsys.Imaging.Tests;

public sealed class HostileFileTests
{
    public static TheoryData<string> Kinds => [.. TestFiles.EachKind.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_truncation_is_a_typed_error_or_the_whole_picture(string kind)
    {
        byte[] file = TestFiles.EachKind[kind], whole = ImageDecoder.Decode(file).Rgb;
        for (int length = 0; length < file.Length; length++)
        {
            byte[]? rgb = Decode(file[..length])?.Rgb;
            Assert.True(rgb is null || rgb.SequenceEqual(whole), $"{length} of {file.Length} bytes gave another picture");
            Assert.True(rgb is null || length > file.Length - 12, $"{length} of {file.Length} bytes were decoded");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Damaged_files_give_a_picture_or_a_typed_error(string kind)
    {
        int rounds = kind == "cmyk jpeg" ? 300 : 3000; // each of those makes a colour transform
        var random = new Random(11);
        int refused = 0;
        for (int round = 0; round < rounds; round++)
        {
            byte[] damaged = Damage(TestFiles.EachKind[kind], random, kind.Contains("png", StringComparison.Ordinal) && round % 2 == 0);
            var picture = round % 3 == 0 ? Decode(damaged, 16) : Decode(damaged);
            refused += picture is null ? 1 : 0;
            Assert.True(picture is null || (long)picture.Width * picture.Height <= ImageLimits.MaxPixels);
        }

        Assert.True(refused > rounds / 10, $"{refused} of {rounds} damaged files were refused.");
    }

    [Fact]
    public void A_jpeg_with_a_damaged_middle_is_refused_and_never_half_grey()
    {
        byte[] jpeg = TestFiles.Jpeg(Pictures.Noise(64, 64, 1));
        byte[] early = [.. jpeg[..(jpeg.Length / 2)], 0xFF, 0xD9]; // cut, and ended properly

        Assert.Contains("JPEG", Pictures.Refusal(() => ImageDecoder.Decode(early)));
        Assert.Contains("JPEG", Pictures.Refusal(() => ImageDecoder.Decode(early, 16, 16)));
    }

    [Fact]
    public void A_header_that_claims_too_many_pixels_is_refused_before_anything_is_allocated()
    {
        byte[] jpeg = TestFiles.Jpeg(Pictures.Smooth(16, 16)), progressive = TestFiles.Jpeg(Pictures.Smooth(16, 16), progressive: true);
        var cases = new (byte[] File, string Said)[]
        {
            (Png(60_000, 60_000), "60000 × 60000 pixels; at most 64,000,000 are decoded"),
            (Png(70_000, 2), "70000 × 2 pixels; at most 64,000,000 are decoded, 65,535 a side"),
            (Png(6000, 6000, interlaced: true), "6000 × 6000 pixels; at most 32,000,000 of a picture that is interlaced, progressive"),
            (Claim(jpeg, 0xC0, 60_000), "60000 × 60000 pixels; at most 64,000,000"),
            (Claim(progressive, 0xC2, 6000), "6000 × 6000 pixels; at most 32,000,000"),
            (WebP(16_383, 16_383, frames: 1), "16383 × 16383 pixels; at most 32,000,000"),
        };
        Assert.NotNull(Decode(jpeg));
        ulong before = Stats.MemHighwater;
        foreach (var (file, said) in cases)
        {
            Assert.Contains(said, Pictures.Refusal(() => ImageDecoder.Decode(file, 32, 32)));
        }

        Assert.InRange(Stats.MemHighwater - before, 0UL, 16UL << 20);

        static byte[] Claim(byte[] jpeg, byte frame, int side)
        {
            int at = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, frame]);
            jpeg = [.. jpeg];
            BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(at + 5), (ushort)side);
            BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(at + 7), (ushort)side);
            return jpeg;
        }
    }

    [Fact]
    public void Files_made_to_keep_a_decoder_busy_are_refused_or_stripped()
    {
        byte[] jpeg = TestFiles.Jpeg(Pictures.Smooth(64, 64), progressive: true);
        byte[] scans = [.. Enumerable.Repeat<byte[]>([0xFF, 0xDA], 101).SelectMany(s => s)];
        byte[] text = TestPng.Chunk("zTXt", [(byte)'x', 0, 0, .. TestPng.Compress(new byte[40 << 20])]);
        byte[] profile = TestPng.Chunk("iCCP", "no profile"u8);
        byte[] plain = TestPng.Encode(8, 8, 8, TestPng.Colour, (x, y, _) => x * y);
        byte[] stuffed = [.. plain[..33], .. profile, .. Enumerable.Repeat(text, 90).SelectMany(t => t), .. plain[33..]];
        byte[] inflating = TestPng.Chunk("IDAT", TestPng.Compress(new byte[128 << 20]));

        Assert.Contains("scans in the JPEG; at most 100", Pictures.Refusal(() => ImageDecoder.Decode([.. jpeg, .. scans])));
        Assert.Contains("1,001 frames in the WebP; at most 1,000", Pictures.Refusal(() => ImageDecoder.Decode(WebP(16, 16, 1001))));
        Assert.Contains("33,554,433 bytes", Pictures.Refusal(() => ImageDecoder.Decode(new byte[ImageLimits.MaxBytes + 1])));
        Assert.Equal(ImageDecoder.Decode(plain).Rgb, ImageDecoder.Decode(stuffed).Rgb);
        byte[] black = TestPng.File(TestPng.Header(8, 8, 8, TestPng.Colour, false), inflating);
        Assert.Equal(new byte[8 * 8 * 3], ImageDecoder.Decode(black).Rgb); // libpng stops behind the last row
    }

    [Theory]
    [InlineData("gif")]
    [InlineData("tiff")]
    [InlineData("avif")]
    [InlineData("svg")]
    [InlineData("bmp")]
    [InlineData("pdf")]
    [InlineData("ppm")]
    [InlineData("vips")]
    [InlineData("nothing")]
    public void Another_format_is_refused_whatever_its_name_and_its_loader_is_closed(string format)
    {
        using var image = TestFiles.Open(Pictures.Smooth(16, 16));
        byte[] file = format switch
        {
            "gif" => image.GifsaveBuffer(),
            "tiff" => image.TiffsaveBuffer(),
            "avif" => image.HeifsaveBuffer(compression: Enums.ForeignHeifCompression.Av1),
            "svg" => "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"u8.ToArray(),
            "bmp" => [.. "BM"u8, .. new byte[60]],
            "pdf" => "%PDF-1.7"u8.ToArray(),
            "ppm" => "P6 1 1 255 abc"u8.ToArray(),
            "vips" => [0x08, 0xF2, 0xA6, 0xB6, .. new byte[80]],
            _ => [],
        };

        Assert.StartsWith("Not a picture in PNG, JPEG or WebP", Pictures.Refusal(() => ImageDecoder.Decode(file)));
        Assert.Throws<VipsException>(() => Image.NewFromBuffer(file)); // even past our own look at the first bytes
    }

    private static Picture? Decode(byte[] file, int side = 0)
    {
        try
        {
            return side > 0 ? ImageDecoder.Decode(file, side, side) : ImageDecoder.Decode(file);
        }
        catch (ImageException)
        {
            return null;
        }
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

    private static byte[] Png(int width, int height, bool interlaced = false) =>
        TestPng.File(TestPng.Header(width, height, 8, TestPng.Colour, interlaced), TestPng.Chunk("IDAT", TestPng.Compress(new byte[9])));

    // An animation: the canvas may be larger than its frames of 16 × 16.
    private static byte[] WebP(int width, int height, int frames)
    {
        byte[] still = TestFiles.WebP(Pictures.Smooth(16, 16), lossless: true);
        byte[] frame = Riff("ANMF", [0, 0, 0, 0, 0, 0, 15, 0, 0, 15, 0, 0, 9, 0, 0, 0, .. still[12..]]);
        byte[] canvas = [2, 0, 0, 0, (byte)(width - 1), (byte)((width - 1) >> 8), 0, (byte)(height - 1), (byte)((height - 1) >> 8), 0];
        byte[] chunks = [.. Riff("VP8X", canvas), .. Riff("ANIM", new byte[6]), .. Enumerable.Repeat(frame, frames).SelectMany(f => f)];
        return Riff("RIFF", [.. "WEBP"u8, .. chunks]);

        static byte[] Riff(string type, byte[] data) => [.. Encoding.ASCII.GetBytes(type), .. BitConverter.GetBytes(data.Length), .. data];
    }
}
