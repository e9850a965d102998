using System.CommandLine;
using Grpc.Core;
using Grpc.Net.Client;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Datasets;
using Recsys.Embeddings;
using Recsys.Protos;
using Recsys.V1;

namespace Recsys.Cli.Verbs;

/// <summary>Encodes the items of a dataset's embeddings on a running server, assigns new ones, or looks semantic IDs up.</summary>
internal static class EncodeVerb
{
    /// <summary>Items of one call: far below the server's limits, large enough that the round trip does not count.</summary>
    private const int Batch = 1000;

    private static readonly Option<string?> Data =
        VerbOption.Of<string?>("--data", "Dataset folder whose embeddings, brought or made, are encoded.");
    private static readonly Option<string[]> Items = VerbOption.Many("--items", "Only these item ids, one an argument (default: all).");
    private static readonly Option<bool> Assign = VerbOption.Of<bool>(
        "--assign", "Store the IDs: new items become recommendable at once; an item that has an ID keeps it.");
    private static readonly Option<string[]> Lookup =
        VerbOption.Many("--lookup", "Look up instead: the semantic IDs of these items, one an argument.");
    private static readonly Option<string[]> Prefix =
        VerbOption.Many("--prefix", "Look up instead: the items whose codes begin so, as 12 or 12-5.");

    public static Command Create()
    {
        var command = new Command("encode", "Turn embeddings into semantic IDs on a running server, or look them up.")
        {
            Data, DatasetOptions.DropUnknown, Items, Assign, Lookup, Prefix,
        };
        command.AddEncoders();
        command.OnCall(RunAsync);
        return command;
    }

    private static async Task<VerbResult> RunAsync(ParseResult parsed, GrpcChannel channel, CallOptions call)
    {
        var client = new V1.Quantizer.QuantizerClient(channel);
        string[] asked = ClientVerb.Items(parsed.GetValue(Lookup)), prefixes = ClientVerb.Items(parsed.GetValue(Prefix));
        if (asked.Length + prefixes.Length > 0)
        {
            return await LookUpAsync(client, asked, prefixes, call);
        }

        using var dataset = parsed.Open(
            parsed.GetValue(Data) ?? throw CatalogException.Invalid("Name a dataset with --data, or ask with --lookup or --prefix."));
        string[] only = ClientVerb.Items(parsed.GetValue(Items));
        bool assign = parsed.GetValue(Assign);
        var embeddings = Embed(dataset, parsed.Encoders(), assign, call.CancellationToken);
        return await EncodeAsync(client, dataset, embeddings, only, assign, () => call.WithDeadline(parsed.Deadline()));
    }

    private static async Task<VerbResult> LookUpAsync(
        V1.Quantizer.QuantizerClient client, string[] asked, string[] prefixes, CallOptions call)
    {
        var request = new LookupRequest();
        request.ItemIds.AddRange(asked);
        request.Prefixes.AddRange(prefixes.Select(text => new CodePrefix
        {
            Codes = { Recsys.Catalog.SemanticId.Parse(text).ToMessage().Codes },
        }));

        var answer = await client.LookupAsync(request, call);
        var found = answer.Items.Where(item => item.SemanticId is not null).ToList();
        var below = answer.Prefixes.ToList();
        return new VerbResult(
            new
            {
                version = answer.Version,
                items = found.Select(item => new { item_id = item.ItemId, semantic_id = item.SemanticId.ToText() }),
                prefixes = below.Select(prefix => new { prefix = string.Join('-', prefix.Prefix.Codes), item_ids = prefix.ItemIds }),
            },
            output =>
            {
                output.WriteLine($"version {answer.Version}");
                found.ForEach(item => output.WriteLine($"{item.ItemId,-14} {item.SemanticId.ToText()}"));
                below.ForEach(
                    prefix => output.WriteLine($"{string.Join('-', prefix.Prefix.Codes),-14} {string.Join(' ', prefix.ItemIds)}"));
            });
    }

    /// <summary>Embeddings as a rebuild of this dataset makes them. A new item was in no fit, so fitted ones are left out of an
    /// assignment.</summary>
    private static List<EmbeddingMatrix> Embed(
        Dataset dataset, DefaultEmbeddingOptions options, bool assign, CancellationToken cancel)
    {
        VerbRunner.UseAllCores(); // a verb that calls computes here only in this case
        using var progress = new ProgressView();
        var embeddings = DefaultEmbeddings.Of(dataset, options, progress, cancel)
            .Where(embedding => embedding.Vectors is not null && !(assign && embedding.IsFitted))
            .Select(embedding => embedding.Vectors!).ToList();
        return embeddings.Count > 0 ? embeddings : throw CatalogException.Precondition(
            $"Dataset '{dataset.Name}' has no embeddings that a new item could be assigned by: it needs text or pictures and an "
            + "encoder that is not fitted to the catalogue, or embeddings/NAME.npy.");
    }

    private static async Task<VerbResult> EncodeAsync(
        V1.Quantizer.QuantizerClient client, Dataset dataset, List<EmbeddingMatrix> embeddings, string[] only, bool assign,
        Func<CallOptions> call)
    {
        var wanted = only.Length == 0
            ? [.. Enumerable.Range(0, dataset.ItemCount)]
            : only.Select(id => dataset.ItemIndex.TryGetValue(id, out int item)
            ? item
            : throw CatalogException.NotFound($"Item '{id}' is not in dataset '{dataset.Name}' ({dataset.ItemCount} items).")).ToArray();
        var rows = new List<(string Item, V1.SemanticId Id, string Detail)>();
        string version = "";
        foreach (int[] chunk in wanted.Chunk(Batch))
        {
            var messages = chunk.Select(item => Message(dataset.Items[item], item, embeddings));
            if (assign)
            {
                var request = new AssignRequest();
                request.Items.AddRange(messages);
                var answer = await client.AssignAsync(request, call());
                version = answer.Version;
                rows.AddRange(answer.Items.Select(item => (item.ItemId, item.SemanticId, item.Existing ? "had it" : "new")));
            }
            else
            {
                var request = new EncodeRequest();
                request.Items.AddRange(messages);
                var answer = await client.EncodeAsync(request, call());
                version = answer.Version;
                rows.AddRange(answer.Items.Select(item => (item.ItemId, item.SemanticId, $"error {item.ReconstructionError:G4}")));
            }
        }

        return new VerbResult(
            new { version, items = rows.Select(row => new { item_id = row.Item, semantic_id = row.Id.ToText(), detail = row.Detail }) },
            output =>
            {
                output.WriteLine($"version {version}");
                rows.ForEach(row => output.WriteLine($"{row.Item,-14} {row.Id.ToText(),-18} {row.Detail}"));
            });
    }

    private static ItemEmbedding Message(Item item, int index, IEnumerable<EmbeddingMatrix> embeddings)
    {
        var message = new ItemEmbedding { ItemId = item.Id, Title = item.Title };
        foreach (var embedding in embeddings.Where(embedding => embedding.Present[index]))
        {
            var vector = new Vector { Space = embedding.Space ?? "" };
            vector.Values.AddRange(embedding.Row(index).ToArray());
            message.Embeddings[embedding.Name] = vector;
        }

        return message;
    }
}
