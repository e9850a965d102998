using System.CommandLine;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Protos;
using Recsys.V1;

namespace Recsys.Cli.Verbs;

internal static class RecommendVerb
{
    public static Command Create()
    {
        var history = new Argument<string[]>("history")
        {
            Description = ClientVerb.History + " None: the popular ones.", Arity = ArgumentArity.ZeroOrMore,
        };
        var k = new Option<int>("-k") { Description = "Items wanted (1 to 1000).", DefaultValueFactory = _ => 10 };
        var beam = new Option<int>("--beam") { Description = "Width of the beam search; 0: the server chooses." };
        var unseen = new Option<bool>("--exclude-seen") { Description = "Leave out items of the history." };
        var command = new Command("recommend", "Ask a running server for a user's next items.")
        {
            history, k, beam, unseen, ClientVerb.Server, ClientVerb.Timeout,
        };
        command.OnRun(async (parsed, cancel) =>
        {
            using var channel = ClientVerb.Channel(parsed);
            var request = new RecommendRequest
            {
                K = parsed.GetValue(k), Beam = parsed.GetValue(beam), ExcludeSeen = parsed.GetValue(unseen),
                History = { parsed.GetValue(history) is [""] ? [] : ClientVerb.Items(parsed.GetValue(history)) }, // "" alone: no history
            };
            var answer = await new V1.Retrieval.RetrievalClient(channel).RecommendAsync(
                request, deadline: ClientVerb.Deadline(parsed), cancellationToken: cancel);
            return new VerbResult(
                new
                {
                    version = answer.Version,
                    alpha = answer.HasAlpha ? answer.Alpha : (double?)null,
                    fallback = Reason(answer.Fallback),
                    unknown_item_ids = answer.UnknownItemIds,
                    items = answer.Items.Select(
                        item => new
                        {
                            item_id = item.ItemId, semantic_id = item.SemanticId.ToText(), score = item.Score, title = item.Title,
                            generative_log_probability = item.HasGenerativeLogProbability ? item.GenerativeLogProbability : (double?)null,
                            dense_log_probability = item.HasDenseLogProbability ? item.DenseLogProbability : (double?)null,
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
                        output.WriteLine($"{item.Score,8:F3}  {item.ItemId,-14} {item.SemanticId.ToText(),-18} {item.Title}");
                    }
                });
        });
        return command;
    }

    private static string? Reason(Fallback fallback) => fallback switch
    {
        Fallback.EmptyHistory => "empty history",
        Fallback.UnknownHistory => "unknown history",
        _ => null,
    };
}
