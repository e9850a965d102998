using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Legs;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Legs.Transitions;

namespace Recsys.Retrieval;

/// <summary>A trained retrieval model: its legs and how they are joined. Not bound to a table of items.</summary>
public sealed class RetrievalModel : IDisposable
{
    /// <summary>The part's name and sub-folder in a version.</summary>
    public const string PartName = "retrieval";

    /// <summary>The sub-folder of the model that has learned from the validation targets too, where a version has one: it is
    /// served.</summary>
    public const string OpenFolder = "retrieval_open";

    private const string InteractionsKey = "interactions";

    /// <param name="legs">All but the generative one, in the order of <see cref="RetrievalOptions.LegNames"/>; they become this model's to
    /// dispose.</param>
    /// <param name="interactions">[trained items] each item's interactions in the training part.</param>
    internal RetrievalModel(RetrievalConfig config, IReadOnlyList<ILeg> legs, GenerativeLeg? generative, int[] interactions)
    {
        (Config, Legs, Generative, Interactions) = (config, legs, generative, interactions);
        Total = interactions.Sum(count => (double)count);
        ByPopularity = [.. Enumerable.Range(0, interactions.Length).OrderByDescending(item => interactions[item]).ThenBy(item => item)];
        Cold = [.. Enumerable.Range(0, interactions.Length).Where(item => interactions[item] == 0)];
    }

    private RetrievalModel(RetrievalModel before, RetrievalConfig config, IReadOnlyList<ILeg> legs)
    {
        (Config, Legs, Generative, Interactions) = (config, legs, before.Generative, before.Interactions);
        (Total, ByPopularity, Cold) = (before.Total, before.ByPopularity, before.Cold);
    }

    public RetrievalConfig Config { get; }

    /// <summary>What its validation targets chose.</summary>
    public RetrievalChoices Choices => new(Config.Sum, Legs.OfType<TransitionLeg>().FirstOrDefault()?.Reading, Config.BestAt);

    internal IReadOnlyList<ILeg> Legs { get; }

    internal GenerativeLeg? Generative { get; }

    /// <summary>The leg that ranks items by what they are; null: there is none.</summary>
    internal DenseLeg? Content => Legs.OfType<DenseLeg>().FirstOrDefault(leg => leg.Name == DenseLeg.Content);

    /// <summary>[trained items] each item's interactions in the training part.</summary>
    internal int[] Interactions { get; }

    /// <summary>Interactions in the training part.</summary>
    internal double Total { get; }

    /// <summary>[trained items] by their interactions in the training part, most first, ties by index.</summary>
    internal IReadOnlyList<int> ByPopularity { get; }

    /// <summary>Items that were there when the model was trained, and that no interaction told it of.</summary>
    internal IReadOnlyList<int> Cold { get; }

    /// <summary>Whether the item is one of <see cref="Cold"/>.</summary>
    internal bool IsCold(int item) => item < Interactions.Length && Interactions[item] == 0;

    /// <summary>Place among the legs of what tells cold items apart: the one that reads items by their content alone, else the one that
    /// comes nearest; -1 where no item is cold or no leg is dense.</summary>
    internal int ByContent =>
        Cold.Count == 0 ? -1 : Legs.Index().Where(leg => leg.Item is DenseLeg).Select(leg => leg.Index).LastOrDefault(-1);

    /// <summary>The tuples of codes that the generative leg finds likeliest behind histories, whether an item has them or not.</summary>
    /// <param name="histories">Item indexes, oldest first; none is empty.</param>
    /// <param name="beam">Tuples of each.</param>
    /// <returns>[histories] of the tuples, best first, without collision tokens; null: the model has no generative leg.</returns>
    public SemanticId[][]? Generate(IReadOnlyList<int[]> histories, ItemTable items, int beam, CancellationToken cancel)
    {
        if (Generative is null)
        {
            return null;
        }

        using var _ = no_grad();
        var generated = new List<SemanticId[]>();
        foreach (var batch in histories.Chunk(64))
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var states = Generative.Read(batch, new string?[batch.Length], items);
            generated.AddRange(BeamSearch.Unconstrained(states, beam, items.Levels));
        }

        return [.. generated];
    }

    /// <summary>The same legs, joined in another way; replaces this model, which is not disposed then.</summary>
    internal RetrievalModel With(LegSum sum) => new(this, Config with { Sum = sum }, Legs);

    /// <summary>The same legs, the transitions' with new interactions; shares the others with this model.</summary>
    internal RetrievalModel With(IEnumerable<(IReadOnlyList<int> Before, int Item)> interactions) => new(
        this, Config, [.. Legs.Select(leg => leg is TransitionLeg transitions ? transitions.With(interactions) : leg)]);

    /// <summary>Writes its files into a folder, made where it is missing, and each leg's into one below it.</summary>
    public void Save(string folder)
    {
        using var scope = NewDisposeScope();
        var state = new Dictionary<string, Tensor> { [InteractionsKey] = tensor(Interactions) };
        ModelFiles.Save(folder, Config, state, Json.Files);
        foreach (var leg in Legs)
        {
            leg.Save(Path.Combine(folder, leg.Name));
        }

        Generative?.Save(Path.Combine(folder, GenerativeLeg.LegName));
    }

    /// <param name="arithmetic">Of answers on a CPU.</param>
    /// <exception cref="CatalogException">DataLoss: a file is missing, damaged or does not fit another.</exception>
    public static RetrievalModel Load(string folder, string device = "cpu", Arithmetic arithmetic = Arithmetic.Float32)
    {
        _ = Devices.Of(device);
        var (config, interactions) = ModelFiles.Load<RetrievalConfig, (RetrievalConfig, int[])>(
            folder, Json.Files, config => Faults.Of(config.Check), CatalogException.Damaged,
            (config, state) => (config, state.Take(InteractionsKey, ScalarType.Int32, config.TrainedItems).data<int>().ToArray()));
        var legs = new List<ILeg>();
        GenerativeLeg? generative = null;
        try
        {
            foreach (string name in config.Legs.Where(name => name != GenerativeLeg.LegName))
            {
                string place = Path.Combine(folder, name);
                legs.Add(name == TransitionLeg.LegName ? TransitionLeg.Load(place) : DenseLeg.Load(place, device, arithmetic));
            }

            generative = config.Legs.Contains(GenerativeLeg.LegName)
                ? GenerativeLeg.Load(Path.Combine(folder, GenerativeLeg.LegName), device, arithmetic)
                : null;
            RequireOneTraining(folder, config, legs, generative);
            return new RetrievalModel(config, legs, generative, interactions);
        }
        catch
        {
            legs.ForEach(leg => leg.Dispose());
            generative?.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var leg in Legs)
        {
            leg.Dispose();
        }

        Generative?.Dispose();
    }

    private static void RequireOneTraining(
        string folder, RetrievalConfig config, IReadOnlyList<ILeg> legs, GenerativeLeg? generative)
    {
        bool fit = legs.Zip(config.Legs.Where(name => name != GenerativeLeg.LegName), (leg, name) => leg.Name == name
            && config.TrainedItems == (leg is TransitionLeg transitions ? transitions.Table.Items : ((DenseLeg)leg).Config.Items))
            .All(fits => fits);
        fit &= generative is null || (generative.Config.TrainedItems == config.TrainedItems
            && generative.Config.CodebookSizes.SequenceEqual(config.CodebookSizes));
        if (!fit)
        {
            throw CatalogException.Damaged(
                $"The legs in '{folder}' are not of one training of {config.TrainedItems} items and codebooks "
                + $"[{string.Join(", ", config.CodebookSizes)}]. Rebuild the version, or activate another.");
        }
    }
}
