using System.CommandLine;
using Grpc.Core;
using Grpc.Net.Client;
using Recsys.Catalog;
using Recsys.Cli.Terminal;
using Recsys.Files;
using Recsys.Protos;
using Recsys.V1;

namespace Recsys.Cli.Verbs;

/// <summary>Asks a running server for pictures and keeps them as PNG files.</summary>
internal static class CreativeVerb
{
    private static readonly Option<string?> Item = VerbOption.Of<string?>("--item", "Draw this item.");
    private static readonly Option<string?> Id =
        VerbOption.Of<string?>("--semantic-id", "Draw this semantic ID (12-5-201), or its first codes (12-5); no item needs to have it.");
    private static readonly Option<string[]> History =
        VerbOption.Many("--history", "Draw what this history's user would like: item ids, oldest first, one an argument.");
    private static readonly Option<int> Count = VerbOption.Of("--count", "Pictures wanted (1 to 64).", 4);
    private static readonly Option<int> Size = VerbOption.Of<int>("--size", "Side in pixels; 0: the model's own.");
    private static readonly Option<double> Guidance =
        VerbOption.Of<double>("--guidance", "Classifier-free guidance scale; 0: the model's default, 1: none.");
    private static readonly Option<int> Steps = VerbOption.Of<int>("--steps", "Solver steps; 0: the model's default.");
    private static readonly Option<long> Seed = VerbOption.Of<long>("--seed", "Seed of the first picture.", 1);
    private static readonly Option<string> Out = VerbOption.Of("--out", "Folder for the PNG files.", "pictures");

    private sealed record Picture(string File, string? ItemId, string SemanticId, long Seed);

    public static Command Create()
    {
        var command = new Command("creative", "Ask a running server to draw items.")
        {
            Item, Id, History, Count, Size, Guidance, Steps, Seed, Out,
        };
        command.OnCall(RunAsync);
        return command;
    }

    private static async Task<VerbResult> RunAsync(ParseResult parsed, GrpcChannel channel, CallOptions options)
    {
        using var call = new Creative.CreativeClient(channel).Generate(Request(parsed), options);
        using var progress = new ProgressView();
        string folder = Path.GetFullPath(parsed.GetValue(Out)!), version = "";
        var (pictures, unknown) = (new List<Picture>(), new List<string>());
        await foreach (var message in call.ResponseStream.ReadAllAsync(options.CancellationToken))
        {
            version = message.Version;
            if (message.EventCase == GenerateResponse.EventOneofCase.Progress)
            {
                progress.Report(new StageProgress("drawing", message.Progress.Step, message.Progress.Steps));
            }
            else if (message.EventCase == GenerateResponse.EventOneofCase.Image)
            {
                pictures.Add(Keep(message.Image, folder));
                unknown.AddRange(message.UnknownItemIds);
            }
        }

        return new VerbResult(new { version, images = pictures, unknown_item_ids = unknown }, output =>
        {
            output.WriteLine($"version {version}");
            if (unknown.Count > 0)
            {
                output.WriteLine($"passed over, not in this version: {string.Join(' ', unknown)}");
            }

            pictures.ForEach(picture => output.WriteLine($"{picture.File}  {picture.SemanticId}  {picture.ItemId}"));
        });
    }

    private static GenerateRequest Request(ParseResult parsed)
    {
        var request = new GenerateRequest
        {
            Count = parsed.GetValue(Count),
            Size = parsed.GetValue(Size),
            Guidance = parsed.GetValue(Guidance),
            Steps = parsed.GetValue(Steps),
            Seed = parsed.GetValue(Seed),
        };
        switch (parsed.GetValue(Item), parsed.GetValue(Id), ClientVerb.Items(parsed.GetValue(History)))
        {
            case ({ } item, null, []):
                request.ItemId = item;
                break;
            case (null, { } id, []):
                request.SemanticId = Catalog.SemanticId.Parse(id).ToMessage();
                break;
            case (null, null, [_, ..] history):
                request.History = new ItemHistory { ItemIds = { history } };
                break;
            default:
                throw CatalogException.Invalid("Say what to draw with exactly one of --item, --semantic-id and --history.");
        }

        return request;
    }

    private static Picture Keep(GeneratedImage image, string folder)
    {
        string id = image.SemanticId.ToText();
        string file = Path.Combine(folder, $"{image.Index:D3}-{id.Replace('#', '_')}-{image.Seed}.png");
        Directory.CreateDirectory(folder); // only now: a refused request leaves nothing behind
        AtomicFile.Write(file, image.Png.WriteTo);
        return new Picture(file, image.ItemId, id, image.Seed);
    }
}
