using Recsys.Protos;
using Recsys.V1;
using Sampling = Recsys.Catalog.Ports.Sampling;

namespace Recsys.Retrieval.Service;

/// <summary>One request for recommendations: checked whole when it is made, then asked of a snapshot.</summary>
internal sealed class RecommendCall
{
    public const int DefaultK = 10;

    /// <summary>Characters (UTF-16) of a page token: of <see cref="RecommendQuery.MaxK"/> items and the longest version name.</summary>
    private const int MaxToken = 8_192;

    /// <summary>Of an item of the history.</summary>
    private const float MaxWeight = 1000;

    private readonly RecommendRequest _request;
    private readonly AllowedItems _allowed;
    private readonly AnswerFields _fields;
    private readonly PageToken? _page;
    private readonly Sampling? _sampling;
    private readonly int _k;

    /// <exception cref="CatalogException">InvalidArgument: a value that is out of its range.</exception>
    public RecommendCall(RecommendRequest request)
    {
        (_request, _k) = (request, request.K == 0 ? DefaultK : request.K);
        RecommendQuery.Check(_k, request.Beam);
        RetrievalService.CheckHistory(request.History, request.UserId);
        CheckLength("min_version", request.MinVersion, RetrievalService.MaxUserId);
        CheckLength("version", request.Version, RetrievalService.MaxUserId);
        CheckLength("request_id", request.RequestId, RetrievalService.MaxUserId);
        CheckLength("page_token", request.PageToken, MaxToken);
        if (request.HistoryTimes.Count > 0 && request.HistoryTimes.Count != request.History.Count)
        {
            throw CatalogException.InvalidField(
                "history_times",
                $"history_times has {request.HistoryTimes.Count} times and history {request.History.Count} items; "
                + "give each its time, or none.");
        }

        CheckWeights(request);

        _allowed = new AllowedItems(request);
        _fields = new AnswerFields(request.ReadMask);
        _page = PageToken.Of(request);
        _sampling = request.Sampling is { } sampling ? Read(sampling) : null;
    }

    /// <summary>The query, and the answer but for its items.</summary>
    /// <exception cref="CatalogException">
    /// Unavailable or FailedPrecondition: the snapshot is not of a version that is asked for.
    /// </exception>
    public (RecommendQuery Query, RecommendResponse Response) Of(SnapshotLease lease)
    {
        var snapshot = lease.Snapshot;
        CheckVersion(snapshot.Version);
        var touched = History();
        var (known, unknown) = snapshot.Items.Known(touched.Select(one => one.Item));
        float[] weights = [.. touched.Where(one => snapshot.Items.TryIndex(one.Item, out _)).Select(one => one.Weight)];
        int[] history = [.. known.Where((_, at) => weights[at] > 0)];
        var (query, others) = _allowed.In(
            new RecommendQuery(history, _k, _request.Beam, _request.ExcludeSeen, RetrievalService.User(_request.UserId))
            {
                Weights = _request.HistoryWeights.Count == 0 ? null : [.. weights.Where(weight => weight > 0)],
                Unread = [.. known.Except(history)],
            },
            snapshot.Items);
        var response = new RecommendResponse
        {
            Version = snapshot.Version,
            Fallback = RetrievalService.FallbackOf(
                [.. touched.Where(one => one.Weight > 0).Select(one => one.Item)], history),
            RequestId = _request.RequestId, Stale = lease.Stale,
        };
        response.UnknownItemIds.AddRange(unknown.Union(others).Take(RetrievalService.MaxUnknown));
        int[] exclude = [.. query.Exclude, .. Shown(snapshot.Items), .. _request.ExcludeSeen ? query.Unread : []];
        return (query with { Exclude = exclude, Sampling = _sampling }, response);
    }

    /// <summary>Puts the items into the answer, and where it goes on.</summary>
    public void Fill(RecommendResponse response, IReadOnlyList<Recommendation> answers, ItemTable items)
    {
        response.Items.AddRange(answers.Select(answer => RetrievalService.ToMessage(answer, items)));
        int[] shown = [.. _page?.Shown ?? [], .. answers.Select(answer => answer.Item)];
        if (answers.Count == _k && shown.Length + _k <= RecommendQuery.MaxK)
        {
            response.NextPageToken = new PageToken(response.Version, shown).Text(_request);
        }

        _fields.Keep(response);
    }

    /// <summary>What the pages before showed, as far as this server has it yet.</summary>
    private IEnumerable<int> Shown(ItemTable items) => (_page?.Shown ?? []).Where(item => item < items.Count);

    /// <summary>Oldest first.</summary>
    private (string Item, float Weight)[] History()
    {
        var touched = _request.History.Select((item, at) => (item, _request.HistoryWeights.Count == 0 ? 1 : _request.HistoryWeights[at]));
        return _request.HistoryTimes.Count == 0 ? [.. touched] :
        [
            .. touched.Zip(_request.HistoryTimes).OrderBy(one => (one.Second.Seconds, one.Second.Nanos)).Select(one => one.First),
        ];
    }

    private static void CheckWeights(RecommendRequest request)
    {
        if (request.HistoryWeights.Count > 0 && request.HistoryWeights.Count != request.History.Count)
        {
            throw CatalogException.InvalidField(
                "history_weights",
                $"history_weights has {request.HistoryWeights.Count} weights and history {request.History.Count} items; "
                + "give each its weight, or none.");
        }

        for (int at = 0; at < request.HistoryWeights.Count; at++)
        {
            if (!(request.HistoryWeights[at] is >= 0 and <= MaxWeight))
            {
                throw CatalogException.InvalidField(
                    "history_weights", $"history_weights has {request.HistoryWeights[at]} at place {at}; allowed are 0 to {MaxWeight}.");
            }
        }
    }

    private void CheckVersion(string version)
    {
        if (string.CompareOrdinal(version, _request.MinVersion) < 0) // names begin with the time
        {
            throw CatalogException.Unavailable(
                $"{version} serves here; the request wants {_request.MinVersion} or a later one. Call again: a server takes a new "
                + "version within two seconds. After a rollback ask for the version that is active.");
        }

        if (_request.Version.Length > 0 && _request.Version != version)
        {
            throw CatalogException.Precondition(
                $"{version} serves here, and the request wants {_request.Version} alone. "
                + "Ask a server that serves it, or leave version empty.");
        }

        if (_page is not null && _page.Version != version)
        {
            throw CatalogException.Precondition(
                $"The page token is of {_page.Version}; {version} serves now. Begin again with the first page, without a token.");
        }
    }

    private static Sampling Read(V1.Sampling sampling) => sampling.Temperature is >= 0 and <= Sampling.MaxTemperature
        ? new Sampling(sampling.Seed, sampling.Temperature == 0 ? 1 : sampling.Temperature)
        : throw CatalogException.InvalidField(
            "sampling.temperature",
            $"sampling.temperature is {sampling.Temperature}; allowed are 0 (which means 1) to {Sampling.MaxTemperature}.");

    private static void CheckLength(string field, string text, int most)
    {
        if (text.Length > most)
        {
            throw CatalogException.InvalidField(field, $"{field} has {text.Length} characters; allowed are {most}.");
        }
    }
}
