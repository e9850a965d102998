using FsCheck.Xunit;
using Grpc.Core;
using Grpc.Wire;

namespace Recsys.Grpc.Tests;

public sealed class WireTests
{
    [Theory]
    [InlineData("plain text, with marks!", "plain text, with marks!")]
    [InlineData("100%", "100%25")]
    [InlineData("a\r\nb", "a%0D%0Ab")]
    [InlineData("é☺", "%C3%A9%E2%98%BA")]
    [InlineData("~\u007f", "~%7F")]
    public void Messages_are_percent_encoded(string text, string encoded)
    {
        Assert.Equal(encoded, PercentEncoding.Encode(text));
        Assert.Equal(text, PercentEncoding.Decode(encoded));
    }

    [Theory]
    [InlineData("%")]
    [InlineData("%4")]
    [InlineData("%zz%")]
    public void What_is_no_escape_stays(string encoded) => Assert.Equal(encoded, PercentEncoding.Decode(encoded));

    [Property]
    public bool Any_message_survives_encoding(FsCheck.NonNull<string> text)
    {
        // A lone half of a surrogate pair has no UTF-8.
        string whole = System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text.Get));
        return PercentEncoding.Decode(PercentEncoding.Encode(whole)) == whole;
    }

    [Property]
    public bool Any_bytes_survive_a_binary_header(byte[] bytes)
    {
        var metadata = new Metadata();
        BinaryHeader.AddTo(metadata, "k-bin", BinaryHeader.Encode(bytes));
        return metadata.GetValueBytes("k-bin")!.SequenceEqual(bytes);
    }

    [Theory]
    [InlineData(0, "0n")]
    [InlineData(1, "100n")]
    [InlineData(999_999, "99999900n")]
    [InlineData(1_000_000, "100000u")]
    [InlineData(10_000_000_000, "1000000m")]
    [InlineData(36_000_000_000_000, "3600000S")]
    [InlineData(long.MaxValue, "99999999H")]
    public void Timeouts_are_written_in_the_finest_unit_that_fits(long ticks, string header) => Assert.Equal(header, TimeoutHeader.Format(TimeSpan.FromTicks(ticks)));

    [Theory]
    [InlineData("1")]
    [InlineData("S")]
    [InlineData("-1S")]
    [InlineData("1 S")]
    [InlineData("1\0S")]
    [InlineData("1s")]
    [InlineData("123456789S")]
    public void What_is_no_timeout_is_refused(string header) => Assert.False(TimeoutHeader.TryParse(header, out _));

    [Property]
    public bool Timeout_survives_rounded_up(FsCheck.NonNegativeInt milliseconds, byte extra)
    {
        TimeSpan timeout = TimeSpan.FromMilliseconds(milliseconds.Get) + TimeSpan.FromTicks(extra);
        return TimeoutHeader.TryParse(TimeoutHeader.Format(timeout), out TimeSpan read) && read >= timeout && read <= timeout * 1.0001 + TimeSpan.FromMicroseconds(1);
    }
}
