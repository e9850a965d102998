using Grpc.Core;
using Recsys.Protos;
using Recsys.V1;

namespace Recsys.Retrieval.Service;

/// <summary>recsys.v1.Retrieval: each call answers from one snapshot and names its version.</summary>
public sealed class RetrievalService(ISnapshots snapshots) : V1.Retrieval.RetrievalBase
{
    private const int DefaultK = 10;

    /// <exception cref="CatalogException">
    /// NotFound: an unknown item, by name. InvalidArgument: empty history, k or beam out of range. FailedPrecondition: no active version,
    /// or one without a retrieval model.
    /// </exception>
    public override Task<RecommendResponse> Recommend(RecommendRequest request, ServerCallContext context)
    {
        int k = request.K == 0 ? DefaultK : request.K;
        Check(request, k);
        using var lease = snapshots.Acquire();
        var snapshot = lease.Snapshot;
        var recommender = snapshot.Find<IRecommender>()

                ?? throw CatalogException.Precondition($"Version '{snapshot.Version}' has no retrieval model. Rebuild it, or activate another version.");
        var history = request.History.Select(snapshot.Items.IndexOf).ToArray();
        var response = new RecommendResponse { Version = snapshot.Version };
        foreach (
            var answer in recommender.Recommend(
                new RecommendQuery(history, k, request.Beam, request.ExcludeSeen), context.CancellationToken))
        {
            response.Items.Add(ToMessage(answer, snapshot.Items));
        }

        return Task.FromResult(response);
    }

    private static void Check(RecommendRequest request, int k)
    {
        if (request.History.Count == 0)
        {
            throw CatalogException.Invalid("The history is empty. Send at least one item id, oldest first.");
        }

        if (k is < 1 or > Recommender.MaxK)
        {
            throw CatalogException.Invalid($"k is {k}; it must be 1 to {Recommender.MaxK}, or 0 for {DefaultK}.");
        }

        if (request.Beam != 0 && (request.Beam < k || request.Beam > Recommender.MaxK))
        {
            throw CatalogException.Invalid(
                $"The beam is {request.Beam}; it must be k ({k}) to {Recommender.MaxK}, or 0 to leave it to the server.");
        }
    }

    private static RecommendedItem ToMessage(Recommendation answer, ItemTable items) => new()
    {
        ItemId = items.Ids[answer.Item],
        SemanticId = answer.Id.ToMessage(),
        Score = answer.LogProbability,
        Title = items.Titles[answer.Item],
    };
}
