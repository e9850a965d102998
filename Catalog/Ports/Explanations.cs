namespace Recsys.Catalog.Ports;

/// <summary>Why an item is answered, or is not.</summary>
/// <param name="Scored">What the legs say of the item, as in an answer.</param>
/// <param name="Path">How the generative leg comes to it: [levels + 1], the collision token last; empty where there is no such leg.</param>
/// <param name="Reasons">All items of the history that it was seen to follow, most evidence first.</param>
public sealed record ItemExplanation(Recommendation Scored, IReadOnlyList<PathToken> Path, IReadOnlyList<ScoreReason> Reasons);

/// <summary>One token of an item's semantic ID, as the generative leg sees it behind those before.</summary>
/// <param name="Token">A code, or the collision token.</param>
/// <param name="LogProbability">Of the token behind its prefix.</param>
/// <param name="Sum">Of the prefix with it.</param>
/// <param name="Place">From 1, among all tokens that might stand there.</param>
public sealed record PathToken(int Token, double LogProbability, double Sum, int Place);
