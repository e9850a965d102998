using Xunit.Abstractions;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests.Safetensors;

/// <summary>Beside the official implementation: files both ways, and what each accepts.</summary>
public sealed class SafetensorsPeerTests(ITestOutputHelper output) : IDisposable
{
    private static readonly Dictionary<string, string> Metadata = new() { ["ключ"] = "a\"b\\c\n\t\u0001\u2028😀/\u007f" };

    private static readonly Dictionary<ScalarType, string> Codes = new()
    {
        [ScalarType.Bool] = "BOOL", [ScalarType.Byte] = "U8", [ScalarType.Int8] = "I8", [ScalarType.Int16] = "I16", [ScalarType.Int32] = "I32", [ScalarType.Int64] = "I64",
        [ScalarType.Float16] = "F16", [ScalarType.BFloat16] = "BF16", [ScalarType.Float32] = "F32", [ScalarType.Float64] = "F64",
    };

    // What it lets through and we do not, by what our refusal says. It keeps the last of two equal names, takes unknown fields, metadata
    // that are null, a list or a map in place of a tensor's fields or dtype, white space in front, any number of dimensions (libtorch has 64),
    // and the strides of an empty tensor may overflow.
    private static readonly (string Class, string Part)[] Stricter =
    [
        ("a name or a key twice", "comes twice"), ("an unknown field", "unknown field"), ("white space first", "does not start with '{'"), ("over 64 dimensions", "more than 64"),
        ("an empty tensor of overflowing strides", "too large"), ("metadata that are null", "has a Null where a StartObject"),
        ("a list in place of fields", "has a StartArray where a StartObject"), ("an object in place of a dtype", "has a StartObject where a String"),
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-official").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [OfficialFact]
    public void Files_written_here_are_read_there_and_back_to_the_byte()
    {
        using var scope = NewDisposeScope();
        using var peer = new SafetensorsPeer();
        string ours = Path.Combine(_folder, "ours"), theirs = Path.Combine(_folder, "theirs");
        Dictionary<string, Tensor> tensors = Samples();
        List<string> lines =
        [
            SafetensorsPeer.Line(Metadata.Keys.Single(), Metadata.Values.Single()),
            .. tensors.Select(t => SafetensorsPeer.Line(t.Key, Codes[t.Value.dtype], t.Value.shape, t.Value.bytes)),
        ];
        SafetensorsFile.Save(ours, tensors, Metadata);
        Assert.Equal(lines.Order(StringComparer.Ordinal), peer.Read(ours));

        peer.Write(theirs, lines);
        Assert.Equal(File.ReadAllBytes(ours), File.ReadAllBytes(theirs));
        foreach (bool mapped in new[] { false, true })
        {
            using SafetensorsFile file = SafetensorsFile.Open(theirs, mapped);
            Assert.Equal(Metadata, file.Metadata);
            Dictionary<string, Tensor> back = file.ReadAll();
            Assert.Equal(tensors.Keys.Order(), back.Keys.Order());
            Assert.All(tensors, t => Assert.True(t.Value.dtype == back[t.Key].dtype && t.Value.shape.SequenceEqual(back[t.Key].shape) && t.Value.bytes.SequenceEqual(back[t.Key].bytes), t.Key));
        }
    }

    [OfficialFact]
    public void Dtypes_that_the_engine_lacks_are_listed_as_there()
    {
        using var peer = new SafetensorsPeer();
        string path = Path.Combine(_folder, "foreign");
        (string Format, long Bytes)[] all = [("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6), ("F8_E5M2", 8), ("F8_E4M3", 8), ("F8_E8M0", 8), ("F8_E4M3FNUZ", 8), ("F8_E5M2FNUZ", 8), ("U16", 16), ("U32", 32), ("C64", 64), ("U64", 64)];
        peer.Write(path, all.Select(f => SafetensorsPeer.Line(f.Format, f.Format, [2, 4], new byte[f.Bytes])));
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(all.Select(f => (f.Format, f.Bytes)).Order(), file.Entries.Select(e => (e.Format, e.Length)).Order());
        Assert.All(file.Entries, e => Assert.Contains($"tensor '{e.Name}' is {e.Format}", Assert.Throws<SafetensorsException>(() => file.Read(e.Name)).Message));
    }

    [OfficialFact]
    public void What_is_accepted_here_is_accepted_there_and_what_only_they_accept_is_of_a_known_class()
    {
        using var peer = new SafetensorsPeer();
        var mutations = new Mutations(7);
        List<byte[]> files = [.. HeaderAttack.All.Select(attack => attack.File), .. Enumerable.Range(0, Environment.GetEnvironmentVariable("RECSYS_FULL") == "1" ? 200_000 : 20_000).Select(_ => mutations.Next())];
        List<string> answers = peer.Accept(files);
        Assert.Equal(files.Count, answers.Count);
        Dictionary<string, int> differences = [];
        int both = 0;
        foreach ((byte[] bytes, string answer) in files.Zip(answers))
        {
            string? refusal = Refusal(bytes);
            bool there = answer == "accepted";
            Assert.True(refusal is not null || there, $"accepted here, but there: {answer}: {Convert.ToHexString(bytes)}");
            both += refusal is null ? 1 : 0;
            if (refusal is not null && there)
            {
                string kind = Array.Find(Stricter, s => refusal.Contains(s.Part, StringComparison.Ordinal)).Class
                    ?? throw new InvalidOperationException($"accepted there, but here: {refusal} {System.Text.Encoding.Latin1.GetString(bytes)}");
                differences[kind] = differences.GetValueOrDefault(kind) + 1;
            }
        }

        output.WriteLine($"{files.Count} files: {both} accepted by both, {answers.Count(a => a == "panicked")} panics there; accepted there alone:");
        foreach ((string kind, int count) in differences.OrderByDescending(d => d.Value))
        {
            output.WriteLine($"  {count,6} {kind}");
        }
    }

    private static string? Refusal(byte[] bytes)
    {
        try
        {
            SafetensorsFile.Open(bytes).Dispose();
            return null;
        }
        catch (SafetensorsException refusal)
        {
            return refusal.Message;
        }
    }

    // Every dtype at five shapes, and names that have to be escaped.
    private static Dictionary<string, Tensor> Samples()
    {
        manual_seed(11);
        Dictionary<string, Tensor> tensors = new() { ["\"\\\b\f\r 日本/\u007f"] = ones(1), [""] = ones(2, 1) };
        foreach (ScalarType type in Enum.GetValues<ScalarType>())
        {
            foreach (long[] shape in new long[][] { [], [0], [3], [2, 0, 5], [4, 3, 2] })
            {
                tensors[$"{type}[{string.Join(',', shape)}]"] = type == ScalarType.Bool ? rand(shape).gt(0.5) : (randn(shape) * 50).to(type);
            }
        }

        return tensors;
    }
}
