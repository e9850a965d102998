using System.CommandLine;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Files;
using Recsys.Protos;
using Recsys.V1;

namespace Recsys.Cli.Verbs;

internal static class CreativeVerb
{
    public static Command Create()
    {
        var item = new Option<string?>("--item") { Description = "Draw this item." };
        var id = new Option<string?>("--semantic-id") { Description = "Draw this semantic ID (12-5-201), or its first codes (12-5), "
            + "whether an item has it or not." };
        var history = new Option<string[]>("--history") { Description = "Draw what this history's user would like: item ids, oldest first.", AllowMultipleArgumentsPerToken = true };
        var count = new Option<int>("--count") { Description = "Pictures wanted (1 to 64).", DefaultValueFactory = _ => 4 };
        var size = new Option<int>("--size") { Description = "Side in pixels; 0: the model's own." };
        var guidance = new Option<double>("--guidance") { Description = "Classifier-free guidance scale; 0: the model's default, 1: "
            + "none." };
        var steps = new Option<int>("--steps") { Description = "Solver steps; 0: the model's default." };
        var seed = new Option<long>("--seed") { Description = "Seed of the first picture.", DefaultValueFactory = _ => 1 };
        var target = new Option<string>("--out") { Description = "Folder for the PNG files.", DefaultValueFactory = _ => "pictures" };
        var command = new Command("creative", "Ask a running server to draw items.") { item, id, history, count, size, guidance, steps, seed, target, ClientVerb.Server, ClientVerb.Timeout };
        command.OnRun(async (parsed, cancel) =>
        {
            var request = new GenerateRequest
            {
                Count = parsed.GetValue(count),
                Size = parsed.GetValue(size),
                Guidance = parsed.GetValue(guidance),
                Steps = parsed.GetValue(steps),
                Seed = parsed.GetValue(seed),
            };
            var (itemId, semanticId, items) = (
                parsed.GetValue(item), parsed.GetValue(id), ClientVerb.Items(parsed.GetValue(history) ?? []));
            if ((itemId is null ? 0 : 1) + (semanticId is null ? 0 : 1) + (items.Length == 0 ? 0 : 1) != 1)
            {
                throw CatalogException.Invalid("Say what to draw with exactly one of --item, --semantic-id and --history.");
            }

            if (itemId is not null)
            {
                request.ItemId = itemId;
            }
            else if (semanticId is not null)
            {
                request.SemanticId = Recsys.Catalog.SemanticId.Parse(semanticId).ToMessage();
            }
            else
            {
                request.History = new ItemHistory();
                request.History.ItemIds.AddRange(items);
            }

            string folder = Path.GetFullPath(parsed.GetValue(target)!);
            using var channel = ClientVerb.Channel(parsed);
            using var call = new Creative.CreativeClient(channel).Generate(
                request, deadline: ClientVerb.Deadline(parsed), cancellationToken: cancel);
            var files = new List<(string File, GeneratedImage Image)>();
            string version = "";
            using (var progress = new ProgressView())
            {
                while (await call.ResponseStream.MoveNext(cancel))
                {
                    var message = call.ResponseStream.Current;
                    version = message.Version;
                    if (message.EventCase == GenerateResponse.EventOneofCase.Progress)
                    {
                        progress.Report(new StageProgress("drawing", message.Progress.Step, message.Progress.Steps));
                    }
                    else if (message.EventCase == GenerateResponse.EventOneofCase.Image)
                    {
                        string file = Path.Combine(
                            folder,
                            $"{message.Image.Index:D3}-{message.Image.SemanticId.ToText().Replace('#', '_')}-{message.Image.Seed}.png");
                        Directory.CreateDirectory(folder); // only now: a refused request leaves nothing behind
                        AtomicFile.Write(file, stream => message.Image.Png.WriteTo(stream));
                        files.Add((file, message.Image));
                    }
                }
            }

            return new VerbResult(
                new { version, images = files.Select(entry => new { file = entry.File, item_id = entry.Image.ItemId, semantic_id = entry.Image.SemanticId.ToText(), seed = entry.Image.Seed }) },
                output =>
                {
                    output.WriteLine($"version {version}");
                    files.ForEach(entry => output.WriteLine($"{entry.File}  {entry.Image.SemanticId.ToText()}  {entry.Image.ItemId}"));
                });
        });
        return command;
    }
}
