using System.Threading.Channels;
using Grpc.Core;
using Recsys.Protos;
using Recsys.V1;
using Likeness = Recsys.Catalog.Ports.Likeness;

namespace Recsys.Retrieval.Service;

/// <summary>recsys.v1.Retrieval: each call answers from one snapshot and names its version.</summary>
public sealed class RetrievalService(ISnapshots snapshots, AnswerQueue queue) : V1.Retrieval.RetrievalBase
{
    /// <summary>Item ids of a history, those that are scored in one call, and the unknown ones that an answer names.</summary>
    public const int MaxHistory = 10_000, MaxScored = RecommendQuery.MaxK, MaxUnknown = 1_000;

    /// <summary>Items that are explained in one call.</summary>
    public const int MaxExplained = 100;

    /// <summary>Characters (UTF-16) of the id of a user, of a request, or of a version.</summary>
    public const int MaxUserId = 256;

    /// <summary>Requests of one call that are answered together at most.</summary>
    private const int MaxBatch = 64;

    /// <exception cref="CatalogException">
    /// InvalidArgument: an item id, k, beam, list or condition out of range. FailedPrecondition: no active version, or one without a
    /// retrieval model.
    /// </exception>
    public override async Task<RecommendResponse> Recommend(RecommendRequest request, ServerCallContext context)
    {
        var call = new RecommendCall(request);
        using var lease = snapshots.Acquire();
        var (query, response) = call.Of(lease);
        var answers = await Answers(Recommender(lease.Snapshot), query, context.Deadline, context.CancellationToken);
        call.Fill(response, answers, lease.Snapshot.Items);
        return response;
    }

    /// <summary>What waits is answered together, from one snapshot; a request that is refused does not end the call.</summary>
    public override async Task RecommendBatch(
        IAsyncStreamReader<BatchedRequest> requestStream, IServerStreamWriter<BatchedResponse> responseStream, ServerCallContext context)
    {
        var waiting = Channel.CreateBounded<BatchedRequest>(MaxBatch);
        var cancel = context.CancellationToken;
        var reading = ReadAsync(requestStream, waiting.Writer, cancel);
        while (await waiting.Reader.WaitToReadAsync(cancel))
        {
            var batch = new List<BatchedRequest>();
            while (batch.Count < MaxBatch && waiting.Reader.TryRead(out var request))
            {
                batch.Add(request);
            }

            foreach (var response in await AnswerAsync(batch, context.Deadline, cancel))
            {
                await responseStream.WriteAsync(response, cancel);
            }
        }

        await reading;
    }

    /// <inheritdoc cref="Recommend"/>
    public override async Task<ScoreResponse> Score(ScoreRequest request, ServerCallContext context)
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
            var answers = (await Answers(recommender, query, context.Deadline, context.CancellationToken))
                .ToDictionary(answer => answer.Item);
            response.Items.AddRange(scored.Distinct().Select(item => ToMessage(answers[item], items)));
        }

        return response;
    }

    /// <summary>Why items are answered, or are not.</summary>
    /// <exception cref="CatalogException">As <see cref="Recommend"/>.</exception>
    public override async Task<ExplainResponse> Explain(ExplainRequest request, ServerCallContext context)
    {
        var call = new RecommendCall(request.Request ?? new RecommendRequest());
        AllowedItems.Check("item_ids", request.ItemIds, MaxExplained);
        using var lease = snapshots.Acquire();
        var (items, recommender) = (lease.Snapshot.Items, Recommender(lease.Snapshot));
        var (query, answer) = call.Of(lease);
        var answers = await Answers(recommender, query, context.Deadline, context.CancellationToken);
        var response = new ExplainResponse { Answer = answer };
        var (asked, unknown) = items.Known(request.ItemIds);
        int[] explained = [.. (request.ItemIds.Count > 0 ? asked : answers.Select(one => one.Item).Take(MaxExplained)).Distinct()];
        var explanations = query.History.Count > 0 ? recommender.Explain(query, explained, context.CancellationToken) : [];
        response.Tree.AddRange(ExplanationTree.Of([.. explanations.Select(one => (items.Ids[one.Scored.Item], one.Path))]));
        response.UnknownItemIds.AddRange(unknown);
        response.Items.AddRange(explanations.Select(one => ToMessage(one, answers, items)));
        if (request.Picture)
        {
            response.TreeSvg = ExplanationTree.Picture(
                response.Tree, explained.ToDictionary(item => items.Ids[item], item => items.Titles[item]));
        }

        call.Fill(answer, answers, items);
        return response;
    }

    /// <exception cref="CatalogException">
    /// InvalidArgument: an item id, k, list or condition out of range. NotFound: the version does not have the item. FailedPrecondition: no
    /// active version, or one whose model cannot compare in this way.
    /// </exception>
    public override Task<SimilarResponse> Similar(SimilarRequest request, ServerCallContext context)
    {
        int k = request.K == 0 ? RecommendCall.DefaultK : request.K;
        RecommendQuery.Check(k, 0);
        ItemIds.Check(request.ItemId);
        var by = request.By switch
        {
            V1.Likeness.Unspecified or V1.Likeness.Codes => Likeness.Codes,
            V1.Likeness.Content => Likeness.Content,
            V1.Likeness.Transitions => Likeness.Transitions,
            _ => throw CatalogException.InvalidField(
                "by", $"by is {(int)request.By}; allowed are codes (1), content (2) and transitions (3)."),
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

    private static async Task ReadAsync(
        IAsyncStreamReader<BatchedRequest> requests, ChannelWriter<BatchedRequest> waiting, CancellationToken cancel)
    {
        try
        {
            while (await requests.MoveNext(cancel))
            {
                await waiting.WriteAsync(requests.Current, cancel);
            }

            waiting.Complete();
        }
        catch (Exception e)
        {
            waiting.Complete(e); // the other side fails with it
        }
    }

    private async Task<BatchedResponse[]> AnswerAsync(List<BatchedRequest> batch, DateTime deadline, CancellationToken cancel)
    {
        using var lease = snapshots.Acquire();
        var recommender = Recommender(lease.Snapshot);
        return await Task.WhenAll(batch.Select(async batched =>
        {
            var answered = new BatchedResponse { RequestId = batched.RequestId };
            try
            {
                if (batched.RequestId.Length > MaxUserId)
                {
                    throw CatalogException.InvalidField(
                        "request_id", $"request_id has {batched.RequestId.Length} characters; allowed are {MaxUserId}.");
                }

                var call = new RecommendCall(batched.Request ?? new RecommendRequest());
                var (query, response) = call.Of(lease);
                var answers = await Answers(recommender, query, deadline, cancel);
                call.Fill(response, answers, lease.Snapshot.Items);
                answered.Response = response;
            }
            catch (CatalogException refused)
            {
                var code = Enum.Parse<StatusCode>(refused.Fault.ToString()); // a fault has the name of its code
                answered.Error = new BatchedError { Code = (int)code, Message = refused.Message };
            }

            return answered;
        }));
    }

    private Task<IReadOnlyList<Recommendation>> Answers(
        IRecommender recommender, RecommendQuery query, DateTime deadline, CancellationToken cancel) => query.History.Count > 0
            ? queue.Answer(recommender, query, deadline, cancel)
            : Task.FromResult(recommender.Popular(query));

    private static IRecommender Recommender(ISnapshot snapshot) => snapshot.Find<IRecommender>() ?? throw CatalogException.Precondition(
        $"Version '{snapshot.Version}' has no retrieval model. Rebuild it, or activate another version.");

    internal static string? User(string id) => id.Length == 0 ? null : id;

    internal static Fallback FallbackOf(IReadOnlyList<string> asked, IReadOnlyList<int> known) =>
        known.Count > 0 ? Fallback.Unspecified : asked.Count == 0 ? Fallback.EmptyHistory : Fallback.UnknownHistory;

    internal static void CheckHistory(IReadOnlyList<string> history, string user)
    {
        if (history.Count > MaxHistory)
        {
            throw CatalogException.InvalidField(
                "history", $"A history of {history.Count} items; allowed are {MaxHistory}. Send the most recent ones.");
        }

        if (user.Length > MaxUserId)
        {
            throw CatalogException.InvalidField(
                "user_id", $"user_id has {user.Length} characters; allowed are {MaxUserId}. Send the id that the interactions have.");
        }

        AllowedItems.Check("history", history, MaxHistory);
    }

    private static ExplainedItem ToMessage(ItemExplanation explanation, IReadOnlyList<Recommendation> answers, ItemTable items)
    {
        var (scored, place) = (explanation.Scored, 1 + answers.TakeWhile(answer => answer.Item != explanation.Scored.Item).Count());
        var message = new ExplainedItem
        {
            Item = ToMessage(place <= answers.Count ? answers[place - 1] : scored, items), Place = place <= answers.Count ? (uint)place : 0,
        };
        message.Item.Reasons.Clear();
        message.Item.Reasons.AddRange(explanation.Reasons.Select(
            reason => new V1.ScoreReason { ItemId = items.Ids[reason.Item], Part = reason.Part }));
        message.Path.AddRange(explanation.Path.Select(token => new V1.PathToken
        {
            Token = (uint)token.Token, LogProbability = token.LogProbability, Place = (uint)token.Place,
        }));
        return message;
    }

    internal static RecommendedItem ToMessage(Recommendation answer, ItemTable items)
    {
        var message = new RecommendedItem
        {
            ItemId = items.Ids[answer.Item],
            SemanticId = answer.Id.ToMessage(),
            Score = answer.Score,
            Title = items.Titles[answer.Item],
            Probability = answer.Probability,
            DecoderRank = (uint)(answer.DecoderRank ?? 0),
        };
        message.Parts.AddRange(answer.Parts.Select(
            part => new V1.ScorePart { Leg = part.Leg, Weight = part.Weight, Value = part.Value }));
        message.Reasons.AddRange(answer.Reasons.Select(
            reason => new V1.ScoreReason { ItemId = items.Ids[reason.Item], Part = reason.Part }));
        return message;
    }
}
