using Recsys.Catalog;
using Recsys.Catalog.Attributes;
using Recsys.Catalog.Ports;
using Recsys.Retrieval;
using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Service;
using Recsys.Retrieval.Training;

namespace Recsys.Bench;

/// <summary>Tries and decoding of large catalogues: what they cost must not grow with the items.</summary>
internal static class DecodingBench
{
    private const int Small = 10_000, Large = 1_000_000, Nodes = 3; // arrays of a node

    public static IReadOnlyList<SuiteCase> Cases { get; } =
    [
        new("trie of 1M items", "trie", Trie, null, null, Limit: Large / 5e3), // 5M items a second
        new("trie of 1M items, bytes an item", "trie-bytes", TrieBytes, null, null, Limit: 100, Unit: "bytes"),
        new(
            "generative leg, one request, 1M items", "decode", () => Decode(Large, filtered: false),
            () => Decode(Small, filtered: false), 1.05,
            Calls: 25, PeerName: "10,000 items"),
        new(
            "the same, half of them filtered away", "decode-filtered", () => Decode(Large, filtered: true),
            () => Decode(Small, filtered: true), 1.05, Calls: 25, PeerName: "10,000 items"),
        new(
            "a filter follows 10 changed items of 1M", "filter-follow", () => Follow(Large, anew: false),
            () => Follow(Large, anew: true), 0.1, Calls: 5, PeerName: "made anew"),
    ];

    private static Func<double> Trie()
    {
        var table = LargeCatalogue.Table(Large);
        return SuiteCase.Timed(() => _ = new ItemTrie(table));
    }

    private static Func<double> TrieBytes()
    {
        var trie = new ItemTrie(LargeCatalogue.Table(Large));
        return () => sizeof(int)
            * (trie.Leaves + (Nodes * (double)Enumerable.Range(0, trie.Depth).Sum(depth => trie.Nodes(depth)))) / trie.Leaves;
    }

    /// <summary>Ten items of a catalogue are sold out or in stock again, and a filter that is in use is asked for.</summary>
    private static Func<double> Follow(int items, bool anew)
    {
        var table = LargeCatalogue.Table(items);
        var random = new Random(9);
        var filter = new ItemFilter(new AnyOf("kind", ["even"]));
        var trie = new TrieLayers(table);
        var made = new TrieFilter(trie, table.Attributes.Passing(filter, items));
        return SuiteCase.Timed(() =>
        {
            table = table.With(Enumerable.Range(0, 10).Select(_ => new LiveValue(
                table.Ids[random.Next(items)], "kind", random.Next(2) == 0 ? "even" : "odd", DateTimeOffset.UnixEpoch)));
            trie = trie.With(table);
            made = (anew ? null : made.With(trie, filter)) ?? new TrieFilter(trie, table.Attributes.Passing(filter, items));
        });
    }

    /// <summary>Beauty's decoder with the weights of one step, k 10, a history of 20 items, another one for each call.</summary>
    private static Func<double> Decode(int items, bool filtered)
    {
        var table = LargeCatalogue.Table(items);
        var random = new Random(7);
        var training = new SequenceSet(["a"], [0, 20], random.GetItems([.. Enumerable.Range(0, items)], 20));
        var options = new RetrievalOptions
        {
            Transitions = null, Id = null, Content = null, Open = false,
            Generative = new() { DenseInputs = false, MinSteps = 1, MaxSteps = 1, Epochs = 1 },
        };
        var model = RetrievalTrainer.Train(new RetrievalTrainingData { Items = table, Training = training }, options, 7);
        var recommender = new Recommender(model, table);
        var filter = filtered ? new ItemFilter([new AnyOf("kind", ["even"])]) : null;
        var queue = new AnswerQueue(TimeProvider.System, decoders: 1); // one core, as a server's; lives as long as the process
        return SuiteCase.Timed(() => queue.Answer(
            recommender, new RecommendQuery([.. Enumerable.Range(0, 20).Select(_ => random.Next(items))], 10) { Filter = filter },
            DateTime.MaxValue, CancellationToken.None).GetAwaiter().GetResult());
    }

}
