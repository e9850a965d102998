namespace Recsys.Retrieval;

/// <summary>Users whose next item is held out: it chooses settings and ends trainings; weights never see it.</summary>
/// <param name="Histories">[users] the training part of each, not empty.</param>
/// <param name="Targets">[users]</param>
public sealed record HeldOut(IReadOnlyList<int[]> Histories, int[] Targets)
{
    /// <summary>[users] their ids; null: unknown.</summary>
    public IReadOnlyList<string>? Users { get; init; }

    public int Count => Targets.Length;

    /// <summary>At most so many of them, drawn by a seed, in their order.</summary>
    public HeldOut Draw(int count, long seed)
    {
        if (Count <= count)
        {
            return this;
        }

        int[] users = [.. Enumerable.Range(0, Count)];
        new Random(Seeds.ToInt32(seed)).Shuffle(users);
        users = [.. users.Take(count).Order()];
        return new HeldOut([.. users.Select(user => Histories[user])], [.. users.Select(user => Targets[user])])
        {
            Users = Users is null ? null : [.. users.Select(user => Users[user])],
        };
    }
}
