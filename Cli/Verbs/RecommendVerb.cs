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
        var history = new Argument<string[]>("history") { Description = ClientVerb.History, Arity = ArgumentArity.OneOrMore };
        var k = new Option<int>("-k") { Description = "Items wanted (1 to 1000).", DefaultValueFactory = _ => 10 };
        var beam = new Option<int>("--beam") { Description = "Width of the beam search; 0: the server chooses." };
        var unseen = new Option<bool>("--exclude-seen") { Description = "Leave out items of the history." };
        var command = new Command("recommend", "Ask a running server for a user's next items.") { history, k, beam, unseen, ClientVerb.Server, ClientVerb.Timeout };
        command.OnRun(async (parsed, cancel) =>
        {
            using var channel = ClientVerb.Channel(parsed);
            var request = new RecommendRequest { K = parsed.GetValue(k), Beam = parsed.GetValue(beam), ExcludeSeen = parsed.GetValue(unseen) };
            request.History.AddRange(ClientVerb.Items(parsed.GetValue(history)!));
            var answer = await new V1.Retrieval.RetrievalClient(channel).RecommendAsync(
                request, deadline: ClientVerb.Deadline(parsed), cancellationToken: cancel);
            return new VerbResult(
                new
                {
                    version = answer.Version,
                    items = answer.Items.Select(
                        item =>
                            new { item_id = item.ItemId, semantic_id = item.SemanticId.ToText(), score = item.Score, title = item.Title }),
                },
                output =>
                {
                    output.WriteLine($"version {answer.Version}");
                    foreach (var item in answer.Items)
                    {
                        output.WriteLine($"{item.Score,8:F3}  {item.ItemId,-14} {item.SemanticId.ToText(),-18} {item.Title}");
                    }
                });
        });
        return command;
    }
}
