using System.CommandLine;
using Grpc.Core;
using Grpc.Net.Client;
using Recsys.Cli.Terminal;
using Recsys.Protos;
using Recsys.V1;

namespace Recsys.Cli.Verbs;

/// <summary>A user's next items, from a running server.</summary>
internal static class RecommendVerb
{
    private static readonly Argument<string[]> History = new("history")
    {
        Description = ClientVerb.History + " None: the popular ones.", Arity = ArgumentArity.ZeroOrMore,
    };
    private static readonly Option<int> K = VerbOption.Of("-k", "Items wanted (1 to 1000).", 10);
    private static readonly Option<int> Beam = VerbOption.Of<int>("--beam", "Width of the beam search; 0: the server chooses.");
    private static readonly Option<bool> Unseen = VerbOption.Of<bool>("--exclude-seen", "Leave out items of the history.");

    private static readonly Option<string> User = VerbOption.Of("--user", "Whose history it is, for models that know users.", "");

    public static Command Create()
    {
        var command = new Command("recommend", "Ask a running server for a user's next items.") { History, K, Beam, Unseen, User };
        command.AddAllowed();
        command.OnCall(RunAsync);
        return command;
    }

    private static async Task<VerbResult> RunAsync(ParseResult parsed, GrpcChannel channel, CallOptions call)
    {
        string[] history = parsed.GetValue(History) is [""] ? [] : ClientVerb.Items(parsed.GetValue(History)); // "" alone: none
        var request = new RecommendRequest
        {
            K = parsed.GetValue(K), Beam = parsed.GetValue(Beam), ExcludeSeen = parsed.GetValue(Unseen), UserId = parsed.GetValue(User),
            History = { history }, Exclude = { parsed.Excluded() }, Candidates = parsed.Candidates(), Conditions = { parsed.Conditions() },
        };
        var answer = await new V1.Retrieval.RetrievalClient(channel).RecommendAsync(request, call);
        return new VerbResult(
            new
            {
                version = answer.Version,
                fallback = Reason(answer.Fallback),
                unknown_item_ids = answer.UnknownItemIds,
                items = answer.Items.Select(
                    item => new
                    {
                        item_id = item.ItemId, semantic_id = item.SemanticId.ToText(), score = item.Score, title = item.Title,
                        probability = item.Probability,
                        parts = item.Parts.Select(part => new { leg = part.Leg, weight = part.Weight, value = part.Value }),
                        reasons = item.Reasons.Select(reason => new { item_id = reason.ItemId, part = reason.Part }),
                    }),
            },
            output =>
            {
                string popular = Reason(answer.Fallback) is { } reason ? $"; the most popular items: {reason}" : "";
                output.WriteLine($"version {answer.Version}{popular}");
                if (answer.UnknownItemIds.Count > 0)
                {
                    output.WriteLine($"passed over, not in this version: {string.Join(' ', answer.UnknownItemIds)}");
                }

                foreach (var item in answer.Items)
                {
                    string reasons = string.Join(", ", item.Reasons.Select(reason => reason.ItemId));
                    string follows = reasons.Length == 0 ? "" : $"  (follows {reasons})";
                    output.WriteLine($"{item.Score,8:F3}  {item.ItemId,-14} {item.SemanticId.ToText(),-18} {item.Title}{follows}");
                }
            });
    }

    private static string? Reason(Fallback fallback) => fallback switch
    {
        Fallback.EmptyHistory => "empty history",
        Fallback.UnknownHistory => "unknown history",
        _ => null,
    };
}
