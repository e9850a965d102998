using Recsys.Catalog;

namespace Recsys.Datasets;

/// <summary>Gathers interactions in any order and lays them out by user, then by time; ties keep the order they came in.</summary>
internal sealed class InteractionBuilder
{
    private readonly Dictionary<string, int> _userIndex = new(StringComparer.Ordinal);
    private readonly List<string> _users = [];
    private readonly List<int> _user = [], _item = [];
    private readonly List<double> _time = [];

    public void Add(string user, int item, double time)
    {
        if (!_userIndex.TryGetValue(user, out int index))
        {
            _userIndex.Add(user, index = _users.Count);
            _users.Add(user);
        }

        _user.Add(index);
        _item.Add(item);
        _time.Add(time);
    }

    /// <summary>Users in order of first appearance.</summary>
    public SequenceSet Build()
    {
        // Counting sort by user keeps the order of arrival; then each user's part is sorted by (time, arrival).
        var offsets = new int[_users.Count + 1];
        foreach (int user in _user)
        {
            offsets[user + 1]++;
        }

        for (int user = 0; user < _users.Count; user++)
        {
            offsets[user + 1] += offsets[user];
        }

        var next = offsets[..^1];
        var (items, keys) = (new int[_item.Count], new (double Time, int Arrival)[_item.Count]);
        for (int i = 0; i < _item.Count; i++)
        {
            int at = next[_user[i]]++;
            items[at] = _item[i];
            keys[at] = (_time[i], i);
        }

        for (int user = 0; user < _users.Count; user++)
        {
            Array.Sort(keys, items, offsets[user], offsets[user + 1] - offsets[user]);
        }

        return new SequenceSet([.. _users], offsets, items);
    }
}
