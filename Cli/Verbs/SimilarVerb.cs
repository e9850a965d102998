using System.CommandLine;
using Grpc.Core;
using Grpc.Net.Client;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Protos;
using Recsys.V1;

namespace Recsys.Cli.Verbs;

/// <summary>Items that are like one, from a running server.</summary>
internal static class SimilarVerb
{
    private static readonly Argument<string> Item = new("item") { Description = "Item id." };
    private static readonly Option<int> K = VerbOption.Of("-k", "Items wanted (1 to 1000).", 10);
    private static readonly Option<string> By = VerbOption.Of("--by", "In what they are alike: codes, content or transitions.", "codes");

    public static Command Create()
    {
        var command = new Command("similar", "Ask a running server for items that are like one.") { Item, K, By };
        command.AddAllowed();
        command.OnCall(RunAsync);
        return command;
    }

    private static async Task<VerbResult> RunAsync(ParseResult parsed, GrpcChannel channel, CallOptions call)
    {
        var request = new SimilarRequest
        {
            ItemId = parsed.GetValue(Item)!, K = parsed.GetValue(K), By = Likeness(parsed.GetValue(By)!),
            Exclude = { parsed.Excluded() }, Candidates = parsed.Candidates(), Conditions = { parsed.Conditions() },
        };
        var answer = await new V1.Retrieval.RetrievalClient(channel).SimilarAsync(request, call);
        return new VerbResult(
            new
            {
                version = answer.Version, unknown_item_ids = answer.UnknownItemIds,
                items = answer.Items.Select(item => new
                {
                    item_id = item.ItemId, semantic_id = item.SemanticId.ToText(), score = item.Score, title = item.Title,
                }),
            },
            output =>
            {
                output.WriteLine($"version {answer.Version}");
                foreach (var item in answer.Items)
                {
                    output.WriteLine($"{item.Score,8:F3}  {item.ItemId,-14} {item.SemanticId.ToText(),-18} {item.Title}");
                }
            });
    }

    private static Likeness Likeness(string name) => name switch
    {
        "codes" => V1.Likeness.Codes,
        "content" => V1.Likeness.Content,
        "transitions" => V1.Likeness.Transitions,
        _ => throw CatalogException.Invalid($"--by is '{name}'; allowed are codes, content and transitions."),
    };
}
