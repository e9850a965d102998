using Grpc.Core;
using Recsys.Protos;
using Recsys.V1;

namespace Recsys.Retrieval.Service;

/// <summary>recsys.v1.Retrieval: each call answers from one snapshot and names its version.</summary>
public sealed class RetrievalService(ISnapshots snapshots) : V1.Retrieval.RetrievalBase
{
    /// <summary>Item ids of a history, and of those the unknown ones that an answer names.</summary>
    public const int MaxHistory = 10_000, MaxUnknown = 1_000;

    /// <summary>Item ids that are left out, and candidates.</summary>
    public const int MaxListed = 10_000;

    /// <summary>Characters (UTF-16) of a user's id.</summary>
    public const int MaxUserId = 256;

    private const int DefaultK = 10;

    /// <exception cref="CatalogException">
    /// InvalidArgument: an item id, k or beam out of range. FailedPrecondition: no active version, or one without a retrieval model.
    /// </exception>
    public override Task<RecommendResponse> Recommend(RecommendRequest request, ServerCallContext context)
    {
        int k = request.K == 0 ? DefaultK : request.K;
        RecommendQuery.Check(k, request.Beam);
        if (request.History.Count > MaxHistory)
        {
            throw CatalogException.Invalid(
                $"A history of {request.History.Count} items; allowed are {MaxHistory}. Send the most recent ones.");
        }

        if (request.UserId.Length > MaxUserId)
        {
            throw CatalogException.Invalid(
                $"user_id has {request.UserId.Length} characters; allowed are {MaxUserId}. Send the id that the interactions have.");
        }

        var filter = Conditions.Read(request.Conditions);
        CheckListed("exclude", request.Exclude);
        CheckListed("candidates", request.Candidates?.ItemIds ?? []);
        foreach (string id in request.History)
        {
            ItemIds.Check(id);
        }

        using var lease = snapshots.Acquire();
        var (snapshot, items) = (lease.Snapshot, lease.Snapshot.Items);
        var recommender = snapshot.Find<IRecommender>() ?? throw CatalogException.Precondition(
            $"Version '{snapshot.Version}' has no retrieval model. Rebuild it, or activate another version.");
        var (history, unknown) = items.Known(request.History);
        var (exclude, unknownExcluded) = items.Known(request.Exclude);
        var (candidates, unknownCandidates) = items.Known(request.Candidates?.ItemIds ?? []);
        var query = new RecommendQuery(
            history, k, request.Beam, request.ExcludeSeen, request.UserId.Length == 0 ? null : request.UserId)
        {
            Exclude = exclude, Candidates = request.Candidates is null ? null : candidates, Filter = filter,
        };
        var response = new RecommendResponse { Version = snapshot.Version };
        response.UnknownItemIds.AddRange(unknown.Concat(unknownExcluded).Concat(unknownCandidates).Distinct().Take(MaxUnknown));
        if (history.Count == 0)
        {
            response.Fallback = request.History.Count == 0 ? Fallback.EmptyHistory : Fallback.UnknownHistory;
        }

        var answers = history.Count > 0 ? recommender.Recommend(query, context.CancellationToken) : recommender.Popular(query);
        response.Items.AddRange(answers.Select(answer => ToMessage(answer, items)));
        return Task.FromResult(response);
    }

    private static void CheckListed(string field, IReadOnlyCollection<string> ids)
    {
        if (ids.Count > MaxListed)
        {
            throw CatalogException.Invalid($"{field} has {ids.Count} item ids; allowed are {MaxListed}.");
        }

        foreach (string id in ids)
        {
            ItemIds.Check(id);
        }
    }

    private static RecommendedItem ToMessage(Recommendation answer, ItemTable items)
    {
        var message = new RecommendedItem
        {
            ItemId = items.Ids[answer.Item],
            SemanticId = answer.Id.ToMessage(),
            Score = answer.Score,
            Title = items.Titles[answer.Item],
            Probability = answer.Probability,
        };
        message.Parts.AddRange(answer.Parts.Select(
            part => new V1.ScorePart { Leg = part.Leg, Weight = part.Weight, Value = part.Value }));
        message.Reasons.AddRange(answer.Reasons.Select(
            reason => new V1.ScoreReason { ItemId = items.Ids[reason.Item], Part = reason.Part }));
        return message;
    }
}
