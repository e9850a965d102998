using System.IO.Compression;
using Google.Protobuf;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests.Fuzz;

/// <summary>Damages bytes in the ways that networks, bugs and attackers do; the same seed does the same damage.</summary>
internal static class Mutation
{
    /// <summary>The full count of the nightly run, or a small one.</summary>
    public static int Count(int full, int small) => Environment.GetEnvironmentVariable("RECSYS_FULL") == "1" ? full : small;

    private static readonly byte[] Good = RawClient.Frame(new EchoRequest { Text = "text", Payload = ByteString.CopyFrom(1, 2, 3) });

    private static readonly byte[] Zipped = RawClient.Frame(Gzip(new EchoRequest { Text = new string('a', 300) }.ToByteArray()), flag: 1);

    public static byte[] Gzip(byte[] bytes)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
        return target.ToArray();
    }

    /// <summary>A request body of one or two messages, some compressed, some left whole.</summary>
    public static byte[] Body(Random random)
    {
        byte[] seed = random.Next(8) == 0 ? Zipped : Good;
        byte[] body = random.Next(6) == 0 ? [.. seed, .. Good] : [.. seed];
        return random.Next(10) == 0 ? body : Damage(body, random);
    }

    public static byte[] Damage(byte[] bytes, Random random)
    {
        byte[] damaged = bytes;
        for (int edits = random.Next(1, 5); edits > 0 && damaged.Length > 0; edits--)
        {
            int at = random.Next(3) == 0 ? random.Next(Math.Min(5, damaged.Length)) : random.Next(damaged.Length);
            switch (random.Next(6))
            {
                case 0:
                    damaged[at] = (byte)random.Next(256);
                    break;
                case 1:
                    damaged[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    damaged = damaged[..at];
                    break;
                case 3:
                    damaged = [.. damaged[..at], .. damaged[random.Next(at, damaged.Length)..]];
                    break;
                case 4:
                    byte[] noise = new byte[random.Next(1, 12)];
                    random.NextBytes(noise);
                    damaged = [.. damaged[..at], .. noise, .. damaged[at..]];
                    break;
                default:
                    damaged[at] = (byte)(random.Next(2) * 255);
                    break;
            }
        }
        return damaged;
    }
}
