using System.Buffers;

namespace Recsys.Retrieval.Models;

/// <summary>
/// What a network makes of prefixes of the next item's tokens: what a search asks for. It begins with one state behind each history,
/// numbered as the rows are, and any state may be continued at any time by any tokens: ways of searching that meet at a prefix share it,
/// and what a search has left it can come back to. States are numbered as they come.
/// </summary>
internal abstract class PrefixStates : IDisposable
{
    private readonly List<int> _levels = []; // [states] tokens behind each
    private float[] _values = []; // log-probabilities of the newest states
    private int _newest; // the first of them

    /// <summary>Histories.</summary>
    public abstract int Rows { get; }

    /// <summary>All states.</summary>
    public int Count => _levels.Count;

    /// <summary>Tokens that may come behind the newest states.</summary>
    public int Tokens { get; private set; }

    /// <summary>Log-probabilities of all tokens that may come next, legal or not: what is masked later is not made up for.</summary>
    /// <param name="state">One of the newest: of those that came with the last call, or of the histories'.</param>
    /// <returns>[tokens], valid until the next call.</returns>
    public ReadOnlySpan<float> LogProbabilities(int state) => _values.AsSpan(Place(state - _newest) * Tokens, Tokens);

    /// <summary>Adds states, each behind another one and a token.</summary>
    /// <param name="parents">[new states] all with as many tokens behind them, those of a row together, the rows in their order.</param>
    /// <param name="tokens">[new states] within the level.</param>
    public void Extend(int[] parents, int[] tokens)
    {
        if (parents.Length > 0)
        {
            int level = _levels[parents[0]] + 1;
            Continue(level, parents, tokens);
            Take(level, parents.Length);
        }
    }

    public virtual void Dispose()
    {
        ArrayPool<float>.Shared.Return(_values);
        _values = [];
    }

    /// <summary>Takes the log-probabilities of new states.</summary>
    protected void Take(int level, int count)
    {
        _newest = Count;
        _levels.AddRange(Enumerable.Repeat(level, count));
        (int places, Tokens) = Shape(level);
        if (places * Tokens > _values.Length)
        {
            ArrayPool<float>.Shared.Return(_values);
            _values = ArrayPool<float>.Shared.Rent(places * Tokens); // a new array of this size would wait for a full collection
        }

        Fill(level, _values.AsSpan(0, places * Tokens));
    }

    /// <summary>Where the log-probabilities of one of the newest states, counted from the first, are among the values.</summary>
    protected virtual int Place(int newest) => newest;

    protected abstract void Continue(int level, int[] parents, int[] tokens);

    /// <summary>Places that have log-probabilities, and tokens of each.</summary>
    protected abstract (int Places, int Tokens) Shape(int level);

    /// <param name="values">[places × tokens]</param>
    protected abstract void Fill(int level, Span<float> values);
}
