using Recsys.Catalog;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Demo;

/// <summary>Everything the demo saw, for its report and its JSON.</summary>
internal sealed record DemoResult(
    RebuildReport Rebuild,
    EvaluationReport Evaluation,
    MetricRow Optimal,
    IReadOnlyList<DemoShopper> Shoppers,
    IReadOnlyList<DemoDrawing> Drawings,
    IReadOnlyList<StageTime> Steps,
    int Items,
    int SimulatedShoppers)
{
    /// <summary>Recall@10 of the trained model.</summary>
    public double Recall => Evaluation.ItemLevel.SeenRemoved!["recall@10"];

    /// <summary>Recall@10 of the recommender that knows the taste model.</summary>
    public double BestRecall => Optimal["recall@10"];

    /// <summary>Recall@10 of the same ten stickers for everybody.</summary>
    public double PopularityRecall => Evaluation.Baselines["popularity"].SeenRemoved!["recall@10"];

    /// <summary>Recall@10 of counting which stickers follow which.</summary>
    public double CountingRecall => Evaluation.Baselines["co_occurrence"].SeenRemoved!["recall@10"];
}

/// <param name="History">Item indexes, oldest first.</param>
/// <param name="Next">What the simulated shopper really took next: the held-out test target.</param>
internal sealed record DemoShopper(string Name, int[] History, int Next, IReadOnlyList<DemoAnswer> Answers, byte[]? Drawn);

internal sealed record DemoAnswer(int Item, SemanticId Id, double Probability);

/// <param name="Items">Real items to show beside it.</param>
internal sealed record DemoDrawing(string Label, string SemanticId, IReadOnlyList<int> Items, IReadOnlyList<byte[]> Pictures);
