using Recsys.Retrieval.Models;

namespace Recsys.Retrieval;

/// <summary>A trained retrieval model: the decoder, the items' dense vectors and the configuration. Not bound to a table of
/// items.</summary>
public sealed class RetrievalModel : IDisposable
{
    /// <summary>The part's name and sub-folder in a version.</summary>
    public const string PartName = "retrieval";

    private const string VectorsKey = "item_vectors";
    private const string PopularKey = "popular_items";
    private const string CountsKey = "popular_counts";

    private readonly (long[] Items, long[] Counts) _popular;

    /// <param name="popular">Items with most interactions in the training part, best first, and [those + 1] their interactions, and at last
    /// those of all items.</param>
    internal RetrievalModel(RetrievalConfig config, DecoderOnly network, Tensor? vectors, (long[] Items, long[] Counts) popular)
    {
        (Config, Network, Vectors, _popular) = (config, network, vectors, popular);
        Layout = new TokenLayout(config.CodebookSizes, config.CollisionTokens);
        network.eval();
    }

    public RetrievalConfig Config { get; }

    internal TokenLayout Layout { get; }

    internal DecoderOnly Network { get; }

    /// <summary>[trained items + 1, dim], the last row zero; null where the model knows codes alone.</summary>
    internal Tensor? Vectors { get; }

    /// <summary>The items with most interactions in the training part, best first, with the natural log of their share.</summary>
    internal IEnumerable<(int Item, double LogShare)> Popular =>
        _popular.Items.Select((item, i) => ((int)item, Math.Log((double)_popular.Counts[i] / _popular.Counts[^1])));

    internal Device Device => Network.parameters().First().device;

    /// <summary>Writes its two files into a folder, made where it is missing.</summary>
    public void Save(string folder)
    {
        using var scope = NewDisposeScope();
        var state = Network.state_dict();
        if (Vectors is not null)
        {
            state[VectorsKey] = Vectors;
        }

        (state[PopularKey], state[CountsKey]) = (tensor(_popular.Items), tensor(_popular.Counts));
        ModelFiles.Save(folder, Config, state, Json.Files);
    }

    /// <exception cref="CatalogException">DataLoss: a file is missing, damaged or does not fit the other.</exception>
    public static RetrievalModel Load(string folder, string device = "cpu")
    {
        var place = Devices.Of(device);
        return ModelFiles.Load<RetrievalConfig, RetrievalModel>(
            folder, Json.Files, config => Faults.Of(config.Check), CatalogException.Damaged, (config, state) => Make(config, state, place));
    }

    private static RetrievalModel Make(RetrievalConfig config, Dictionary<string, Tensor> state, Device device)
    {
        int items = config.TrainedItems;
        var vectors = config.Options.DenseInputs || config.Options.DenseLoss > 0
            ? state.Take(VectorsKey, ScalarType.Float32, items + 1, config.Options.Dim)
            : null;
        var popular = state.Take(PopularKey, ScalarType.Int64, -1).data<long>().ToArray();
        var counts = state.Take(CountsKey, ScalarType.Int64, popular.Length + 1).data<long>().ToArray();
        if (popular.Any(item => item < 0 || item >= items))
        {
            throw new TorchException($"'{PopularKey}' are not all among the {items} items.");
        }

        using var generator = new Generator(0);
        var network = new DecoderOnly(new TokenLayout(config.CodebookSizes, config.CollisionTokens), config.Options, generator).With(state);
        network.MoveTo(device);
        return new RetrievalModel(config, network, vectors?.to(device).DetachFromDisposeScope(), (popular, counts));
    }

    /// <summary>The same weights with another share of the generative model; replaces this model, which is not disposed then.</summary>
    internal RetrievalModel WithAlpha(double alpha) => new(Config with { Alpha = alpha }, Network, Vectors, _popular);

    public void Dispose()
    {
        Network.Dispose();
        Vectors?.Dispose();
    }
}
