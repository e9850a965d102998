using Recsys.Torch.Safetensors;
using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests.Safetensors;

/// <summary>Files that break the format: each is refused with a typed error that says where, and no tensor is left behind.</summary>
public sealed class MalformedTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Attacks => [.. Attack.All.Select(attack => attack.Name)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Attacks))]
    public void An_attack_is_refused(string name)
    {
        var attack = Assert.Single(Attack.All, attack => attack.Name == name);
        string path = _folder["attack.safetensors"];
        File.WriteAllBytes(path, attack.File);
        long before = LiveTensors();
        string message = Assert.Throws<SafetensorsException>(() => SafetensorsFile.Load(path)).Message;
        Assert.Equal(before, LiveTensors());
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains(attack.Part, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_cut_at_any_length_is_refused()
    {
        string path = _folder["cut.safetensors"];
        using (NewDisposeScope())
        {
            SafetensorsFile.Save(path, new Dictionary<string, Tensor> { ["a"] = ones(4), ["flag"] = ones(3, dtype: ScalarType.Bool) });
        }

        byte[] whole = File.ReadAllBytes(path);
        long before = LiveTensors();
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Throws<SafetensorsException>(() => SafetensorsFile.Load(path));
        }

        Assert.Equal(before, LiveTensors());
    }
}
