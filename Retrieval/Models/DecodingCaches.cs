namespace Recsys.Retrieval.Models;

/// <summary>Keys and values of a batch of histories, one copy for all beams.</summary>
/// <param name="Bias">[rows or 1, 1, 1, length] −inf behind a history's end.</param>
/// <param name="NextPosition">[rows, 1, dim] position embedding of the item to come; null: its tokens have none.</param>
public sealed record HistoryCache(Tensor Bias, Tensor? NextPosition = null)
{
    /// <summary>[layer] each [rows, heads, length, head dim]</summary>
    public List<Tensor> Keys { get; } = [];

    public List<Tensor> Values { get; } = [];

    public void Add(Tensor keys, Tensor values)
    {
        Keys.Add(keys);
        Values.Add(values);
    }
}

/// <summary>Keys and values of the few tokens that each beam has of its own.</summary>
public sealed class BeamCache
{
    private readonly List<(Tensor Keys, Tensor Values)> _layers = []; // each [rows, heads, beams, tokens, head dim]

    /// <summary>Adds one token of each beam and gives back all of the layer.</summary>
    /// <param name="keys">[rows, heads, beams, head dim]</param>
    public (Tensor Keys, Tensor Values) Append(int layer, Tensor keys, Tensor values)
    {
        var (k, v) = (keys.unsqueeze(3), values.unsqueeze(3));
        if (layer < _layers.Count)
        {
            (k, v) = (cat([_layers[layer].Keys, k], 3), cat([_layers[layer].Values, v], 3));
            _layers.RemoveAt(layer);
        }

        _layers.Insert(layer, (k.MoveToOuterDisposeScope(), v.MoveToOuterDisposeScope()));
        return _layers[layer];
    }

    /// <summary>All of a layer, each [rows, heads, beams, tokens, head dim].</summary>
    public (Tensor Keys, Tensor Values) Of(int layer) => _layers[layer];

    /// <summary>What new beams begin with, each continuing its parent.</summary>
    /// <param name="parents">[rows, new beams]</param>
    public BeamCache Following(Tensor parents)
    {
        var following = new BeamCache();
        foreach (var (keys, values) in _layers)
        {
            var index = parents.view(parents.size(0), 1, -1, 1, 1).expand(-1, keys.size(1), -1, keys.size(3), keys.size(4));
            following._layers.Add((keys.gather(2, index), values.gather(2, index)));
        }

        return following;
    }
}
