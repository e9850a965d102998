namespace Recsys.Retrieval.Models;

/// <summary>A network that predicts the tokens of the next item, one after the other: what beam search asks for.</summary>
public abstract class SemanticDecoder(string name) : Module(name)
{
    /// <summary>Width of its states.</summary>
    public abstract int Dim { get; }

    /// <summary>One more token for each beam.</summary>
    /// <param name="codes">[rows, beams] the token just chosen, within its level.</param>
    /// <param name="level">The level to be predicted next, from 1.</param>
    /// <param name="history">What was read of the histories.</param>
    /// <returns>[rows, beams, dim]</returns>
    public abstract Tensor Extend(Tensor codes, int level, HistoryCache history, BeamCache beams);

    /// <summary>Scores before softmax of a level's tokens.</summary>
    /// <param name="hidden">[…, dim]</param>
    /// <returns>[…, tokens of the level]</returns>
    public abstract Tensor Logits(Tensor hidden, int level);

    /// <summary>Log-probabilities over all of a level's tokens, legal or not: what is masked later is not made up for.</summary>
    public Tensor LogProbabilities(Tensor hidden, int level) => functional.log_softmax(Logits(hidden, level).to(ScalarType.Float32), -1);
}
