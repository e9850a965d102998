namespace Recsys.Retrieval.Legs.Transitions;

/// <summary>A transitions leg's files: what was trained, in compressed rows.</summary>
internal static class TransitionFiles
{
    private const string StartsKey = "starts", FollowersKey = "followers", CountsKey = "counts", InteractionsKey = "interactions";

    public static void Save(TransitionLeg leg, string folder) => ModelFiles.Save(
        folder, new TransitionConfig(TransitionConfig.CurrentFormat, leg.Reading, leg.History),
        new Dictionary<string, Tensor>
        {
            [StartsKey] = tensor(leg.Table.Starts), [FollowersKey] = tensor(leg.Table.Followers), [CountsKey] = tensor(leg.Table.Counts),
            [InteractionsKey] = tensor(leg.Table.Interactions),
        },
        Json.Files);

    /// <exception cref="CatalogException">DataLoss: a file is missing, damaged or does not fit the other.</exception>
    public static TransitionLeg Load(string folder) => ModelFiles.Load<TransitionConfig, TransitionLeg>(
        folder, Json.Files, config => Faults.Of(config.Check), CatalogException.Damaged, (config, state) =>
        {
            var starts = state.Take(StartsKey, ScalarType.Int64, -1).data<long>().ToArray();
            var followers = state.Take(FollowersKey, ScalarType.Int32, -1).data<int>().ToArray();
            var counts = state.Take(CountsKey, ScalarType.Float32, followers.Length).data<float>().ToArray();
            var interactions = state.Take(InteractionsKey, ScalarType.Int32, starts.Length - 1).data<int>().ToArray();
            if (starts.Length < 2 || starts[0] != 0 || starts[^1] != followers.Length
                || starts.Zip(starts.Skip(1)).Any(pair => pair.First > pair.Second)
                || followers.Any(follower => (uint)follower >= (uint)interactions.Length))
            {
                throw new TorchException("the rows of transitions do not fit together.");
            }

            return new TransitionLeg(new TransitionTable(starts, followers, counts, interactions), config.Reading, config.History);
        });
}

/// <summary>Everything but the tensors that a saved leg needs.</summary>
/// <param name="Format">Raised when the meaning of the files changes.</param>
/// <param name="History">Most recent items that are read.</param>
public sealed record TransitionConfig(int Format, TransitionReading Reading, int History)
{
    public const int CurrentFormat = 1;

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        faults.Check(Format == CurrentFormat, "format", Format, $"{CurrentFormat}");
        faults.Range("history", History, 1, 512);
        faults.Range("reading.recency", Reading.Recency, 1e-6, 1);
        faults.Range("reading.evidence_scale", Reading.EvidenceScale, 1e-6, 1000);
    }
}
