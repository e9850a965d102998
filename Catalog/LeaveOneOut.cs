using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Recsys.Catalog;

/// <summary>
/// The field's leave-one-out split: a user's last item is the test target, the last but one the validation target, the rest trains.
/// Users with fewer than three interactions are not evaluated; the second of two does not train either, since with the next interaction
/// it is the validation target of a night whose codes and gates look back at this one. Nothing that learns may see more than
/// <see cref="Train"/>.
/// </summary>
public sealed class LeaveOneOut
{
    private readonly SequenceSet _all;

    public LeaveOneOut(SequenceSet all)
    {
        _all = all;
        var offsets = new int[all.Count + 1];
        var items = new List<int>(all.Items.Length);
        var evaluated = new List<int>(all.Count);
        for (int user = 0; user < all.Count; user++)
        {
            var sequence = all[user];
            bool held = sequence.Length >= 3;
            items.AddRange(held ? sequence[..^2] : sequence[..Math.Min(1, sequence.Length)]);
            offsets[user + 1] = items.Count;
            if (held)
            {
                evaluated.Add(user);
            }
        }

        Train = new SequenceSet(all.Users, offsets, [.. items]);
        EvaluatedUsers = [.. evaluated];
        Sha256 = Hash();
    }

    /// <summary>What features, codes and models may learn from.</summary>
    public SequenceSet Train { get; }

    /// <summary>
    /// The training part with the validation targets: what learns once all choices are made, where a test target alone is asked for.
    /// </summary>
    public SequenceSet TrainAndValidation
    {
        get
        {
            var offsets = new int[_all.Count + 1];
            var items = new List<int>(_all.Items.Length);
            for (int user = 0; user < _all.Count; user++)
            {
                items.AddRange(_all[user].Length >= 3 ? _all[user][..^1] : _all[user]);
                offsets[user + 1] = items.Count;
            }

            return new SequenceSet(_all.Users, offsets, [.. items]);
        }
    }

    /// <summary>Everything, the held-out targets included: for <c>--fit-all</c>, once the gates have passed.</summary>
    public SequenceSet All => _all;

    /// <summary>Users with a validation and a test target.</summary>
    public int[] EvaluatedUsers { get; }

    /// <summary>SHA-256 over users, training parts and targets: equal hashes, equal protocol.</summary>
    public string Sha256 { get; }

    public int ValidationTarget(int user) => _all[user][^2];

    public int TestTarget(int user) => _all[user][^1];

    /// <summary>What is known when the validation target is asked for: the training part.</summary>
    public ReadOnlySpan<int> ValidationHistory(int user) => _all[user][..^2];

    /// <summary>What is known when the test target is asked for: all but the last.</summary>
    public ReadOnlySpan<int> TestHistory(int user) => _all[user][..^1];

    private string Hash()
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int user = 0; user < _all.Count; user++)
        {
            sha.AppendData(Encoding.UTF8.GetBytes(_all.Users[user]));
            sha.AppendData(MemoryMarshal.AsBytes(_all[user]));
            sha.AppendData([0xFF, 0xFF, 0xFF, 0xFF]); // no item: where a user ends
        }

        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }
}
