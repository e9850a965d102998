using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Jobs.NightlyRebuild;

namespace Recsys.Jobs.Tests;

/// <summary>Small losses that no night's interval can tell from noise must not add up.</summary>
public sealed class ErosionTests
{
    private const int Users = 2000;

    private static readonly LeaveOneOut Split = new(new SequenceSet(["u"], [0, 3], [0, 1, 2]));

    private static readonly ItemTable Items = new(["a", "b", "c"], [new([0]), new([1]), new([2])], ["", "", ""], [3]);

    [Fact]
    public void A_twentieth_lost_every_night_is_refused_before_a_third_is_lost()
    {
        var versions = new Recorded();
        double best = 0.1, recall = best;
        var gates = Night(versions, recall);
        Assert.Empty(gates); // nothing to hold it against
        while (gates.All(gate => gate.Passed) && recall > best / 2)
        {
            versions.Add(recall);
            gates = Night(versions, recall *= 0.95);
        }

        Assert.All(gates, gate => Assert.Equal(gate.Name == "recall_change_active", gate.Passed));
        Assert.InRange(recall, best * 2 / 3, best * 0.96);
    }

    [Fact]
    public void Nights_of_equal_quality_are_refused_no_more_often_than_95_percent_says()
    {
        var versions = new Recorded();
        var random = new Random(3);
        int refused = 0;
        for (int night = 0; night < 365; night++)
        {
            double recall = Enumerable.Range(0, Users).Count(_ => random.NextDouble() < 0.1) / (double)Users;
            if (Array.TrueForAll(Night(versions, recall), gate => gate.Passed))
            {
                versions.Add(recall);
            }
            else
            {
                refused++;
            }
        }

        Assert.InRange(refused, 0, 365 / 20);
    }

    private static GateResult[] Night(Recorded versions, double recall)
    {
        var hits = Enumerable.Range(0, Users).Select(user => user < recall * Users ? 1.0 : 0).ToArray();
        return [.. new References(versions, "walks", new RebuildOptions()).Judge(
            versions.Latest, Split, new int[Users], hits, Items, CancellationToken.None)];
    }

    /// <summary>Versions of which the manifest alone is left: their recorded recall is what speaks for them.</summary>
    private sealed class Recorded : IVersionStore
    {
        private readonly List<VersionManifest> _manifests = [];

        public string Root => "";

        public string? Latest => _manifests.Count == 0 ? null : _manifests[^1].Version;

        public void Add(double recall)
        {
            var figures = new Dictionary<string, double> { [Gates.Recall] = recall };
            _manifests.Add(new VersionManifest(
                $"v{_manifests.Count:d4}", DateTimeOffset.UnixEpoch, new VersionDescription("walks", 1, [3], 3, figures),
                new Dictionary<string, ManifestFile>()));
        }

        public IReadOnlyList<VersionManifest> List() => _manifests;

        public VersionFolder Open(string version) => throw CatalogException.Damaged($"'{version}' is gone.");

        public IVersionWriter Begin(string version) => throw new NotSupportedException();

        public void Append(string version, params IReadOnlyList<AppendedItem> items) => throw new NotSupportedException();

        public void Remove(string version) => throw new NotSupportedException();

        public IReadOnlyList<AppendedItem> Appended(string version) => [];
    }
}
