using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Grpc.Core;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;
using Recsys.V1;

namespace Recsys.Client.VectorData;

/// <summary>
/// The items of the version that serves, as a collection of Microsoft.Extensions.VectorData. Of a record type the key is the item's id, a
/// data property an attribute of its name (or, of the storage name <c>title</c>, the title), and a vector property the embedding of its
/// name. The server keeps semantic IDs in place of embeddings: a search finds the items whose IDs stand for what is nearest, by squared
/// distance for each value, and vectors that are read are those that the IDs stand for.
/// </summary>
public sealed class ItemCollection<TRecord> : VectorStoreCollection<string, TRecord>
    where TRecord : class
{
    private const string SystemName = "recsys";

    /// <summary>Of one call.</summary>
    private const int MaxTold = 1000, MaxRead = 1000, MaxFound = 1000, MaxTries = 3;

    private readonly RecsysClient _client;
    private readonly ItemRecordShape<TRecord> _shape = new();

    /// <param name="client">Stays the caller's.</param>
    /// <exception cref="ArgumentException">The record type has no key, or a property of a type that cannot be kept.</exception>
    public ItemCollection(RecsysClient client) => _client = client;

    public override string Name => "items";

    /// <summary>Whether a version serves.</summary>
    public override async Task<bool> CollectionExistsAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await _client.Quantizer.DescribeCodebookAsync(new DescribeCodebookRequest(), cancellationToken: cancellationToken)
                .ConfigureAwait(false);
            return true;
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.FailedPrecondition)
        {
            return false;
        }
        catch (RpcException error)
        {
            throw Failed("CollectionExists", error);
        }
    }

    /// <summary>Checks that a version serves, and that its codebook knows the record's embeddings: a rebuild makes versions, no
    /// client.</summary>
    /// <exception cref="VectorStoreException">No version serves, or it knows other embeddings.</exception>
    public override async Task EnsureCollectionExistsAsync(CancellationToken cancellationToken = default)
    {
        var known = await CallAsync(
            "EnsureCollectionExists",
            () => _client.Quantizer.DescribeCodebookAsync(new DescribeCodebookRequest(), cancellationToken: cancellationToken),
            cancellationToken).ConfigureAwait(false);
        var unknown = _shape.Vectors.Where(vector => !known.Embeddings.Any(of => of.Name == vector.Name && of.Dim == vector.Dim));
        if (unknown.FirstOrDefault() is { } odd)
        {
            string expected = string.Join(", ", known.Embeddings.Select(of => $"{of.Name} ({of.Dim} values)"));
            throw Failed(
                "EnsureCollectionExists",
                $"{typeof(TRecord).Name}.{odd.Property.Name} is the embedding '{odd.Name}' of {odd.Dim} values; version {known.Version} "
                + $"knows {expected}.");
        }
    }

    /// <exception cref="NotSupportedException">Always: versions are removed where they lie.</exception>
    public override Task EnsureCollectionDeletedAsync(CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("Items are of a version; './recsys versions remove' removes one.");

    public override async Task<TRecord?> GetAsync(
        string key, RecordRetrievalOptions? options = null, CancellationToken cancellationToken = default) =>
        (await ReadAsync([key], options?.IncludeVectors == true, cancellationToken).ConfigureAwait(false)).GetValueOrDefault(key);

    public override async IAsyncEnumerable<TRecord> GetAsync(
        IEnumerable<string> keys, RecordRetrievalOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (string[] some in keys.Chunk(MaxRead))
        {
            var found = await ReadAsync(some, options?.IncludeVectors == true, cancellationToken).ConfigureAwait(false);
            foreach (string key in some)
            {
                if (found.TryGetValue(key, out var record))
                {
                    yield return record;
                }
            }
        }
    }

    /// <exception cref="NotSupportedException">Always: conditions are part of a recommendation.</exception>
    public override IAsyncEnumerable<TRecord> GetAsync(
        Expression<Func<TRecord, bool>> filter, int top, FilteredRecordRetrievalOptions<TRecord>? options = null,
        CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("Items are read by their ids. What is chosen by attributes, Recommend chooses by its conditions.");

    /// <exception cref="NotSupportedException">Always: an item ends with its version.</exception>
    public override Task DeleteAsync(string key, CancellationToken cancellationToken = default) => throw new NotSupportedException(
        "An item ends with its version. Until then a condition keeps it from answers: tell an attribute (stock 0) of it.");

    public override Task UpsertAsync(TRecord record, CancellationToken cancellationToken = default) =>
        UpsertAsync([record], cancellationToken);

    /// <summary>Tells attributes, and brings new items by their embeddings and title: an item that has a semantic ID keeps it, and its
    /// title.</summary>
    /// <exception cref="VectorStoreException">A new item has no embedding, or the server refuses a value. What came before is kept.
    /// </exception>
    public override async Task UpsertAsync(IEnumerable<TRecord> records, CancellationToken cancellationToken = default)
    {
        foreach (var some in records.Chunk(MaxTold))
        {
            var request = new UpsertItemsRequest { Items = { some.Select(_shape.Told) } };
            var told = await CallAsync(
                "Upsert", () => _client.Items.UpsertAsync(request, cancellationToken: cancellationToken), cancellationToken)
                .ConfigureAwait(false);
            if (told.UnknownItemIds.Count > 0)
            {
                throw Failed(
                    "Upsert",
                    $"{told.UnknownItemIds.Count} items are new and brought no embeddings, so version {told.Version} has no place for "
                    + $"them: {string.Join(", ", told.UnknownItemIds.Take(5))}. Their attributes count once one has. Set a vector.");
            }
        }
    }

    /// <param name="searchValue">An embedding: <see cref="ReadOnlyMemory{T}"/>, an array or an <see cref="Embedding{T}"/> of
    /// float.</param>
    /// <param name="top">1 to 1,000, with what is skipped.</param>
    /// <returns>The nearest first; the score is the squared distance for each value.</returns>
    /// <exception cref="NotSupportedException">A filter, or another kind of search value.</exception>
    public override async IAsyncEnumerable<VectorSearchResult<TRecord>> SearchAsync<TInput>(
        TInput searchValue, int top, VectorSearchOptions<TRecord>? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        options ??= new VectorSearchOptions<TRecord>();
        if (options.Filter is not null)
        {
            throw new NotSupportedException("A search by an embedding has no filter. Retrieval.Similar has conditions, by an item's id.");
        }

        if (top < 1 || options.Skip < 0 || top > MaxFound - options.Skip)
        {
            throw new ArgumentOutOfRangeException(nameof(top), top, $"With what is skipped ({options.Skip}) it may be 1 to {MaxFound}.");
        }

        var vector = ItemRecordShape<TRecord>.VectorOf(searchValue switch
        {
            ReadOnlyMemory<float> memory => memory,
            float[] array => array,
            Embedding<float> embedding => embedding.Vector,
            _ => throw new NotSupportedException(
                $"A {typeof(TInput).Name} is no embedding: bring ReadOnlyMemory<float>, float[] or Embedding<float>."),
        });
        var request = new NearestRequest { K = (uint)(options.Skip + top), Embeddings = { [Searched(options).Name] = vector } };
        var near = await CallAsync(
            "Search", () => _client.Quantizer.NearestAsync(request, cancellationToken: cancellationToken), cancellationToken)
            .ConfigureAwait(false);
        var found = near.Items.Skip(options.Skip).Where(item => !(item.Distance > options.ScoreThreshold)).ToArray();
        var records = found.Length == 0
            ? []
            : await ReadAsync([.. found.Select(item => item.ItemId)], options.IncludeVectors, cancellationToken).ConfigureAwait(false);
        foreach (var item in found)
        {
            if (records.TryGetValue(item.ItemId, out var record)) // another version may serve by now
            {
                yield return new VectorSearchResult<TRecord>(record, item.Distance);
            }
        }
    }

    public override object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(VectorStoreCollectionMetadata)
            ? new VectorStoreCollectionMetadata { VectorStoreSystemName = SystemName, CollectionName = Name }
        : serviceType == typeof(RecsysClient) ? _client
        : serviceType.IsInstanceOfType(this) ? this
        : null;

    private VectorProperty Searched(VectorSearchOptions<TRecord> options)
    {
        if (options.VectorProperty is null)
        {
            return _shape.Vectors is [{ } only] ? only : throw new ArgumentException(
                $"{typeof(TRecord).Name} has {_shape.Vectors.Count} vector properties: VectorProperty of the options says which one.");
        }

        var body = options.VectorProperty.Body is UnaryExpression { NodeType: ExpressionType.Convert } boxed
            ? boxed.Operand : options.VectorProperty.Body;
        return _shape.Vectors.FirstOrDefault(vector => vector.Property.Name == (body as MemberExpression)?.Member.Name)
            ?? throw new ArgumentException($"{options.VectorProperty} is no vector property of {typeof(TRecord).Name}.");
    }

    private async Task<Dictionary<string, TRecord>> ReadAsync(string[] keys, bool vectors, CancellationToken cancel)
    {
        for (int tries = 1; ; tries++)
        {
            var asked = new GetItemsRequest { ItemIds = { keys.Distinct() } };
            var got = await CallAsync("Get", () => _client.Items.GetAsync(asked, cancellationToken: cancel), cancel)
                .ConfigureAwait(false);
            ReconstructResponse? stood = null;
            if (vectors && got.Items.Count > 0)
            {
                var request = new ReconstructRequest { SemanticIds = { got.Items.Select(item => item.SemanticId) } };
                stood = await CallAsync("Get", () => _client.Quantizer.ReconstructAsync(request, cancellationToken: cancel), cancel)
                    .ConfigureAwait(false);
            }

            if (stood is null || stood.Version == got.Version) // a version may be swapped in between: its codes mean something else
            {
                return got.Items.Select((item, at) => (item.ItemId, _shape.Read(item, stood?.Items[at].Embeddings)))
                    .ToDictionary(StringComparer.Ordinal);
            }

            if (tries == MaxTries)
            {
                throw Failed("Get", $"Versions {got.Version} and {stood.Version} answered in turn. Call again.");
            }
        }
    }

    private async Task<T> CallAsync<T>(string operation, Func<AsyncUnaryCall<T>> call, CancellationToken cancel)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (RpcException error) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(error.Status.Detail, error, cancel);
        }
        catch (RpcException error)
        {
            throw Failed(operation, error);
        }
    }

    private VectorStoreException Failed(string operation, RpcException error) =>
        Failed(operation, $"{error.StatusCode}: {error.Status.Detail}", error);

    private VectorStoreException Failed(string operation, string message, Exception? error = null) => new(message, error)
    {
        VectorStoreSystemName = SystemName, CollectionName = Name, OperationName = operation,
    };
}
