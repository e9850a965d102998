using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Tests.Decoding;

/// <summary>Another decoder, whose caller gives up during the first token that it adds.</summary>
internal sealed class CancellingDecoder(SemanticDecoder inner, CancellationTokenSource cancel) : SemanticDecoder(nameof(CancellingDecoder))
{
    /// <summary>What was asked for.</summary>
    public List<int> Levels { get; } = [];

    public override int Dim => inner.Dim;

    public override Tensor Extend(Tensor codes, int level, HistoryCache history, BeamCache beams)
    {
        Levels.Add(level);
        cancel.Cancel();
        return inner.Extend(codes, level, history, beams);
    }

    public override Tensor Logits(Tensor hidden, int level) => inner.Logits(hidden, level);
}
