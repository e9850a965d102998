using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Wire;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests.Fuzz;

/// <summary>The message reader and the parsers of headers under damaged bytes, each answer checked against an oracle.</summary>
[Collection(nameof(Alone))]
public sealed class FramingFuzzTests
{
    private const int Limit = 1000;

    private static readonly string?[] Encodings = [null, null, "gzip", "gzip", "gzip", "identity", "deflate", "snappy", ""];

    [Fact]
    public void A_million_damaged_bodies_read_as_the_protocol_says()
    {
        var codecs = new Codecs(null);
        var ends = new ConcurrentDictionary<StatusCode, int>();
        int count = Mutation.Count(full: 10_000_000, small: 1_000_000);
        Parallel.For(0, count, seed =>
        {
            var random = new Random(seed);
            byte[] body = Mutation.Body(random);
            string? encoding = Encodings[random.Next(Encodings.Length)];
            var reader = new MessageReader(new PiecewiseReader(body, random), codecs, Limit) { Encoding = encoding };
            StatusCode end = seed % 2 == 0 ? CheckSingle(reader, body, encoding, seed) : CheckStream(reader, body, encoding, seed);
            ends.AddOrUpdate(end, 1, (_, known) => known + 1);
        });
        Assert.Equal(count, ends.Values.Sum());
        Assert.Equal([StatusCode.OK, StatusCode.ResourceExhausted, StatusCode.Unimplemented, StatusCode.Internal], ends.Keys.Order());
    }

    private static StatusCode CheckSingle(MessageReader reader, byte[] body, string? encoding, int seed)
    {
        (EchoRequest? expected, StatusCode end) = FramingOracle.ReadSingle(body, encoding, Limit);
        try
        {
            EchoRequest message = Complete(reader.ReadSingleAsync(Parse, default));
            Assert.True(end == StatusCode.OK && message.Equals(expected), $"seed {seed}: read {message}, expected {end} {expected}");
        }
        catch (RpcException exception)
        {
            // The end of the stream may be seen before the first message's fault, or after.
            Assert.True(end == exception.StatusCode || (end != StatusCode.OK && exception.StatusCode == StatusCode.Internal), $"seed {seed}: {exception.Status}, expected {end}");
        }
        return end;
    }

    private static StatusCode CheckStream(MessageReader reader, byte[] body, string? encoding, int seed)
    {
        (List<EchoRequest> expected, StatusCode end) = FramingOracle.Read(body, encoding, Limit);
        var messages = new List<EchoRequest>();
        StatusCode ended = StatusCode.OK;
        try
        {
            while (Complete(reader.ReadAsync(Parse, default)) is { } message) messages.Add(message);
        }
        catch (RpcException exception)
        {
            ended = exception.StatusCode;
        }
        Assert.True(ended == end && messages.SequenceEqual(expected), $"seed {seed}: {messages.Count} messages and {ended}, expected {expected.Count} and {end}");
        return end;
    }

    private static EchoRequest Parse(DeserializationContext context) => EchoRequest.Parser.ParseFrom(context.PayloadAsReadOnlySequence());

    private static T Complete<T>(ValueTask<T> task)
    {
        Assert.True(task.IsCompleted);
        return task.GetAwaiter().GetResult();
    }

    [Fact]
    public void A_million_damaged_header_values_are_parsed_or_refused()
    {
        Parallel.For(0, Mutation.Count(full: 10_000_000, small: 1_000_000), seed =>
        {
            var random = new Random(seed);
            const string Alphabet = "0123456789HMSmun%ABab=,+/ .-é\u0000";
            string text = string.Create(random.Next(14), random, (span, source) =>
            {
                for (int i = 0; i < span.Length; i++) span[i] = Alphabet[source.Next(source.Next(2) == 0 ? 12 : Alphabet.Length)];
            });
            bool isTimeout = text.Length is >= 2 and <= 9 && text[..^1].All(char.IsAsciiDigit) && "HMSmun".Contains(text[^1]);
            Assert.True(TimeoutHeader.TryParse(text, out TimeSpan timeout) == isTimeout && timeout >= TimeSpan.Zero, $"timeout '{text}'");

            Assert.True(PercentEncoding.Decode(text).Length <= text.Length, $"message '{text}'");

            var metadata = new Metadata();
            string[] parts = [.. text.Split(',').Select(part => part.Trim().TrimEnd('='))];
            bool isBase64 = parts.All(part => part.Length % 4 != 1 && part.All(character => char.IsAsciiLetterOrDigit(character) || character is '+' or '/'));
            try
            {
                BinaryHeader.AddTo(metadata, "k-bin", text);
                // White space within base64 is skipped.
                Assert.True(metadata.Count == parts.Length && (isBase64 || text.Contains(' ')), $"binary '{text}'");
            }
            catch (RpcException exception)
            {
                Assert.True(exception.StatusCode == StatusCode.Internal && !isBase64, $"binary '{text}'");
            }
        });
    }
}

/// <summary>Tests that use the whole machine, or watch the whole process, run when no other does.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
