using Recsys.Catalog;
using Recsys.Cli.Demo.Shoppers;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Demo;

/// <summary>Everything the demo saw, for its report and its JSON.</summary>
internal sealed record DemoResult(
    RebuildReport Rebuild,
    EvaluationReport Evaluation,
    OptimalScore Optimal,
    IReadOnlyList<DemoShopper> Shoppers,
    IReadOnlyList<DemoDrawing> Drawings,
    IReadOnlyList<StageTime> Steps,
    int Items,
    int SimulatedShoppers,
    int Interactions);

/// <param name="History">Item indexes, oldest first.</param>
/// <param name="Next">What the simulated shopper really took next: the held-out test target.</param>
internal sealed record DemoShopper(string Name, int[] History, int Next, IReadOnlyList<DemoAnswer> Answers, byte[]? Drawn);

internal sealed record DemoAnswer(int Item, SemanticId Id, double Score);

/// <param name="Items">Real items to show beside it.</param>
internal sealed record DemoDrawing(string Label, string SemanticId, IReadOnlyList<int> Items, IReadOnlyList<byte[]> Pictures);
