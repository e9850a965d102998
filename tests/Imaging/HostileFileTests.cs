using System.Buffers.Binary;
using System.Text;

namespace Recsys.Imaging.Tests;

public sealed class HostileFileTests
{
    public static TheoryData<string> Formats => ["png", "interlaced png", "jpeg", "webp"];

    private static byte[] File(string format) => format switch
    {
        "png" => PngEncoder.Encode(Pictures.Noise(12, 9, 4), new Dictionary<string, string> { ["seed"] = "1" }),
        "interlaced png" => TestPng.Encode(12, 9, 8, TestPng.Colour, (x, y, channel) => ((x * 31) + (y * 17) + (channel * 70)) % 256, interlaced: true),
        "jpeg" => JpegEncoder.Encode(Pictures.Noise(24, 17, 4), 80),
        _ => TestWebP.File,
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_truncation_is_a_typed_error(string format)
    {
        var file = File(format);
        Assert.NotNull(ImageDecoder.Decode(file));
        for (int length = 0; length < file.Length; length++)
        {
            Assert.Throws<ImageException>(() => ImageDecoder.Decode(file.AsSpan(0, length)));
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Flipped_bits_give_a_picture_or_a_typed_error(string format)
    {
        var file = File(format);
        var random = new Random(11);
        var options = new DecodeOptions { MaxPixels = 100_000 };
        int decoded = 0, refused = 0;
        for (int round = 0; round < 2000; round++)
        {
            var damaged = (byte[])file.Clone();
            for (int flip = random.Next(1, 6); flip > 0; flip--)
            {
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            }

            try
            {
                var picture = ImageDecoder.Decode(damaged, options);
                Assert.True((long)picture.Width * picture.Height <= options.MaxPixels);
                decoded++;
            }
            catch (ImageException)
            {
                refused++;
            }
        }

        Assert.Equal(2000, decoded + refused);
        Assert.True(refused > 500, $"{refused} of 2,000 damaged files were refused.");
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
