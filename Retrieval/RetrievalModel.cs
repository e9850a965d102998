using Recsys.Retrieval.Models;
using Recsys.Torch.Safetensors;

namespace Recsys.Retrieval;

/// <summary>A trained retrieval model: the decoder, the items' dense vectors and the configuration. Not bound to a table of
/// items.</summary>
public sealed class RetrievalModel : IDisposable
{
    /// <summary>The part's name and sub-folder in a version.</summary>
    public const string PartName = "retrieval";

    private const string ConfigFile = "config.json";
    private const string WeightsFile = "model.safetensors";
    private const string VectorsKey = "item_vectors";
    private const string PopularKey = "popular_items";
    private const string CountsKey = "popular_counts";

    private readonly long[]? _popular, _counts;

    /// <param name="popular">Items with most interactions in the training part, best first; null: not noted.</param>
    /// <param name="counts">[items of <paramref name="popular"/> + 1] their interactions, and at last those of all items.</param>
    internal RetrievalModel(RetrievalConfig config, DecoderOnly network, Tensor? vectors, long[]? popular = null, long[]? counts = null)
    {
        (Config, Network, Vectors, _popular, _counts) = (config, network, vectors, popular, counts);
        Layout = new TokenLayout(config.CodebookSizes, config.CollisionTokens);
        network.eval();
    }

    public RetrievalConfig Config { get; }

    internal TokenLayout Layout { get; }

    internal DecoderOnly Network { get; }

    /// <summary>[trained items + 1, dim], the last row zero; null where the model knows codes alone.</summary>
    internal Tensor? Vectors { get; }

    /// <summary>The items with most interactions in the training part, best first, with the natural log of their share; null in a model
    /// of before this was noted.</summary>
    internal IEnumerable<(int Item, double LogShare)>? Popular =>
        _popular?.Select((item, i) => ((int)item, Math.Log((double)_counts![i] / _counts[^1])));

    internal Device Device => Network.parameters().First().device;

    /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c>.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        var state = Network.state_dict();
        if (Vectors is not null)
        {
            state[VectorsKey] = Vectors;
        }

        using var scope = NewDisposeScope();
        if (_popular is not null)
        {
            (state[PopularKey], state[CountsKey]) = (tensor(_popular), tensor(_counts!));
        }

        SafetensorsFile.Save(Path.Combine(folder, WeightsFile), state);
        File.WriteAllText(Path.Combine(folder, ConfigFile), Config.ToJson());
    }

    /// <exception cref="CatalogException">DataLoss: a file is missing, damaged or does not fit the other.</exception>
    public static RetrievalModel Load(string folder, string device = "cpu")
    {
        var (configFile, weightsFile) = (Path.Combine(folder, ConfigFile), Path.Combine(folder, WeightsFile));
        foreach (string file in new[] { configFile, weightsFile })
        {
            if (!File.Exists(file))
            {
                throw CatalogException.Damaged($"The retrieval model lacks '{file}'. Rebuild the version.");
            }
        }

        var config = RetrievalConfig.Parse(File.ReadAllText(configFile), configFile);
        using var scope = NewDisposeScope();
        using var generator = new Generator(0);
        var network = new DecoderOnly(new TokenLayout(config.CodebookSizes, config.CollisionTokens), config.Options, generator);
        try
        {
            var state = SafetensorsFile.Load(weightsFile);
            bool wanted = config.Options.DenseInputs || network.HasDenseHead;
            if (state.Remove(VectorsKey, out var vectors) != wanted)
            {
                throw new InvalidDataException($"'{VectorsKey}' is {(wanted ? "missing" : "there")}, and the options say otherwise");
            }

            if (vectors is not null && !vectors.shape.SequenceEqual([config.TrainedItems + 1, config.Options.Dim]))
            {
                throw new InvalidDataException(
                    $"'{VectorsKey}' is [{string.Join(", ", vectors.shape)}], expected [{config.TrainedItems + 1}, {config.Options.Dim}]");
            }

            long[]? popular = state.Remove(PopularKey, out var items) ? items.data<long>().ToArray() : null;
            long[]? counts = state.Remove(CountsKey, out var all) ? all.data<long>().ToArray() : null;
            if (counts?.Length != popular?.Length + 1 || popular?.Any(item => item < 0 || item >= config.TrainedItems) == true)
            {
                throw new InvalidDataException($"'{PopularKey}' and '{CountsKey}' do not fit the {config.TrainedItems} items");
            }

            network.Restore(state);
            network.MoveTo(Devices.Of(device));
            return new RetrievalModel(config, network, vectors?.to(Devices.Of(device)).DetachFromDisposeScope(), popular, counts);
        }
        catch (Exception exception) when (exception is not CatalogException)
        {
            network.Dispose();
            throw CatalogException.Damaged(
                $"'{weightsFile}' is damaged or of another model: {exception.Message}. Rebuild the version.", exception);
        }
    }

    /// <summary>The same weights with another share of the generative model; replaces this model, which is not disposed then.</summary>
    internal RetrievalModel WithAlpha(double alpha) => new(Config with { Alpha = alpha }, Network, Vectors, _popular, _counts);

    public void Dispose()
    {
        Network.Dispose();
        Vectors?.Dispose();
    }
}
