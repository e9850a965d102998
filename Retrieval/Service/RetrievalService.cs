using Grpc.Core;
using Recsys.Protos;
using Recsys.V1;
using Likeness = Recsys.Catalog.Ports.Likeness;

namespace Recsys.Retrieval.Service;

/// <summary>recsys.v1.Retrieval: each call answers from one snapshot and names its version.</summary>
public sealed class RetrievalService(ISnapshots snapshots) : V1.Retrieval.RetrievalBase
{
    /// <summary>Item ids of a history, those that are scored in one call, and the unknown ones that an answer names.</summary>
    public const int MaxHistory = 10_000, MaxScored = RecommendQuery.MaxK, MaxUnknown = 1_000;

    /// <summary>Characters (UTF-16) of a user's id.</summary>
    public const int MaxUserId = 256;

    private const int DefaultK = 10;

    /// <exception cref="CatalogException">
    /// InvalidArgument: an item id, k, beam, list or condition out of range. FailedPrecondition: no active version, or one without a
    /// retrieval model.
    /// </exception>
    public override Task<RecommendResponse> Recommend(RecommendRequest request, ServerCallContext context)
    {
        int k = request.K == 0 ? DefaultK : request.K;
        RecommendQuery.Check(k, request.Beam);
        CheckHistory(request.History, request.UserId);
        var allowed = new AllowedItems(request.Exclude, request.Candidates, request.Conditions);

        using var lease = snapshots.Acquire();
        var (items, recommender) = (lease.Snapshot.Items, Recommender(lease.Snapshot));
        var (history, unknown) = items.Known(request.History);
        var (query, others) = allowed.In(
            new RecommendQuery(history, k, request.Beam, request.ExcludeSeen, User(request.UserId)), items);
        var response = new RecommendResponse { Version = lease.Snapshot.Version, Fallback = FallbackOf(request.History, history) };
        response.UnknownItemIds.AddRange(unknown.Union(others).Take(MaxUnknown));
        response.Items.AddRange(Answers(recommender, query, context).Select(answer => ToMessage(answer, items)));
        return Task.FromResult(response);
    }

    /// <inheritdoc cref="Recommend"/>
    public override Task<ScoreResponse> Score(ScoreRequest request, ServerCallContext context)
    {
        CheckHistory(request.History, request.UserId);
        AllowedItems.Check("item_ids", request.ItemIds, MaxScored);

        using var lease = snapshots.Acquire();
        var (items, recommender) = (lease.Snapshot.Items, Recommender(lease.Snapshot));
        var (history, unknown) = items.Known(request.History);
        var (scored, unknownScored) = items.Known(request.ItemIds);
        var response = new ScoreResponse { Version = lease.Snapshot.Version, Fallback = FallbackOf(request.History, history) };
        response.UnknownItemIds.AddRange(unknown.Union(unknownScored).Take(MaxUnknown));
        if (scored.Count > 0)
        {
            var query = new RecommendQuery(history, scored.Count, User: User(request.UserId)) { Candidates = scored };
            var answers = Answers(recommender, query, context).ToDictionary(answer => answer.Item);
            response.Items.AddRange(scored.Distinct().Select(item => ToMessage(answers[item], items)));
        }

        return Task.FromResult(response);
    }

    /// <exception cref="CatalogException">
    /// InvalidArgument: an item id, k, list or condition out of range. NotFound: the version does not have the item. FailedPrecondition: no
    /// active version, or one whose model cannot compare in this way.
    /// </exception>
    public override Task<SimilarResponse> Similar(SimilarRequest request, ServerCallContext context)
    {
        int k = request.K == 0 ? DefaultK : request.K;
        RecommendQuery.Check(k, 0);
        ItemIds.Check(request.ItemId);
        var by = request.By switch
        {
            V1.Likeness.Unspecified or V1.Likeness.Codes => Likeness.Codes,
            V1.Likeness.Content => Likeness.Content,
            V1.Likeness.Transitions => Likeness.Transitions,
            _ => throw CatalogException.Invalid($"by is {(int)request.By}; allowed are codes (1), content (2) and transitions (3)."),
        };
        var allowed = new AllowedItems(request.Exclude, request.Candidates, request.Conditions);

        using var lease = snapshots.Acquire();
        var (items, recommender) = (lease.Snapshot.Items, Recommender(lease.Snapshot));
        var (query, unknown) = allowed.In(new RecommendQuery([items.IndexOf(request.ItemId)], k), items);
        var response = new SimilarResponse { Version = lease.Snapshot.Version };
        response.UnknownItemIds.AddRange(unknown.Take(MaxUnknown));
        response.Items.AddRange(recommender.Similar(query, by).Select(similar => new SimilarItem
        {
            ItemId = items.Ids[similar.Item], SemanticId = items.SemanticIds[similar.Item].ToMessage(), Score = similar.Score,
            Title = items.Titles[similar.Item],
        }));
        return Task.FromResult(response);
    }

    private static IReadOnlyList<Recommendation> Answers(IRecommender recommender, RecommendQuery query, ServerCallContext context) =>
        query.History.Count > 0 ? recommender.Recommend(query, context.CancellationToken) : recommender.Popular(query);

    private static IRecommender Recommender(ISnapshot snapshot) => snapshot.Find<IRecommender>() ?? throw CatalogException.Precondition(
        $"Version '{snapshot.Version}' has no retrieval model. Rebuild it, or activate another version.");

    private static string? User(string id) => id.Length == 0 ? null : id;

    private static Fallback FallbackOf(IReadOnlyList<string> asked, IReadOnlyList<int> known) =>
        known.Count > 0 ? Fallback.Unspecified : asked.Count == 0 ? Fallback.EmptyHistory : Fallback.UnknownHistory;

    private static void CheckHistory(IReadOnlyList<string> history, string user)
    {
        if (history.Count > MaxHistory)
        {
            throw CatalogException.Invalid(
                $"A history of {history.Count} items; allowed are {MaxHistory}. Send the most recent ones.");
        }

        if (user.Length > MaxUserId)
        {
            throw CatalogException.Invalid(
                $"user_id has {user.Length} characters; allowed are {MaxUserId}. Send the id that the interactions have.");
        }

        AllowedItems.Check("history", history, MaxHistory);
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
