namespace Recsys.Torch.Tests.Safetensors;

/// <summary>Files that break the format: each is refused with a typed error that says where, and no tensor is left behind.</summary>
public sealed class SafetensorsMalformedTests
{
    public static TheoryData<string> Attacks => [.. HeaderAttack.All.Select(attack => attack.Name)];

    [Theory]
    [MemberData(nameof(Attacks))]
    public void An_attack_is_refused(string name)
    {
        HeaderAttack attack = Assert.Single(HeaderAttack.All, attack => attack.Name == name);
        long baseline = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Assert.Contains(attack.Part, Assert.Throws<SafetensorsException>(() => SafetensorsFile.Load(attack.File)).Message);
        Assert.Null(StrictReader.Read(attack.File));
        Assert.Equal(baseline, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}
