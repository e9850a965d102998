using System.Runtime.InteropServices;

namespace Recsys.Retrieval.Models;

/// <summary>The states of any network on any device, as tensors of as many states a row as the longest row has.</summary>
internal sealed class TensorStates : PrefixStates
{
    private readonly SemanticDecoder _network;
    private readonly HistoryCache _history;
    private readonly int _laid; // rows that are computed
    private readonly OperatorUse _use;
    private readonly List<(BeamCache Cache, int Row, int Column)> _states = []; // where each stands
    private readonly List<Tensor> _next = []; // log-probabilities of the newest ones, each [rows, width, tokens]
    private int[] _places; // [newest states] among all of them

    /// <param name="hidden">[rows or more, dim] what was read of the histories.</param>
    /// <param name="rows">Of the histories that are asked for.</param>
    public TensorStates(SemanticDecoder network, Tensor hidden, HistoryCache history, int rows, OperatorUse use = default)
    {
        (_network, _history, Rows, _laid, _use) = (network, history, rows, (int)hidden.size(0), use);
        var none = new BeamCache();
        _states.AddRange(Enumerable.Range(0, Rows).Select(row => (none, row, 0)));
        _places = [.. Enumerable.Range(0, Rows)];
        _next.Add(network.LogProbabilities(hidden.unsqueeze(1), 0));
        Take(0, Rows);
    }

    public override int Rows { get; }

    protected override int Place(int newest) => _places[newest];

    protected override void Continue(int level, int[] parents, int[] tokens)
    {
        _places = new int[parents.Length];
        _next.Clear();
        var added = new (BeamCache, int, int)[parents.Length];
        int before = 0;
        foreach (var alike in Enumerable.Range(0, parents.Length).GroupBy(at => _states[parents[at]].Cache)) // mostly one group
        {
            var counts = new int[Rows];
            (int At, int Row, int Column)[] laid = [.. alike.Select(at =>
            {
                int row = _states[parents[at]].Row;
                return (at, row, counts[row]++);
            })];
            int width = _use.FixedShapes ? FixedShapes.Size(counts.Max()) : counts.Max();
            var (from, by) = (new long[_laid * width], new long[_laid * width]);
            foreach (var (at, row, column) in laid)
            {
                int place = (row * width) + column;
                (from[place], by[place], _places[at]) = (_states[parents[at]].Column, tokens[at], before + place);
            }

            Tensor On(long[] values) => tensor(values, [_laid, width], device: _history.Bias.device);
            var cache = alike.Key.Following(On(from));
            _next.Add(_network.LogProbabilities(Extended(On(by), level, cache), level));
            foreach (var (at, row, column) in laid)
            {
                added[at] = (cache, row, column);
            }

            before += _laid * width;
        }

        _states.AddRange(added);
    }

    // The heads stay float32: bf16 would tie tokens whose scores are near each other.
    private Tensor Extended(Tensor codes, int level, BeamCache cache)
    {
        using var narrow = _use.Scope();
        return _network.Extend(codes, level, _history, cache);
    }

    protected override (int Places, int Tokens) Shape(int level) =>
        (_next.Sum(next => (int)(next.size(0) * next.size(1))), (int)_next[0].size(2));

    protected override void Fill(int level, Span<float> values)
    {
        using var all = cat([.. _next.Select(next => next.flatten(0, 1))]).cpu().contiguous(); // [places, tokens]
        MemoryMarshal.Cast<byte, float>(all.bytes).CopyTo(values);
    }
}
