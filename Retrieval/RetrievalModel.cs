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

    internal RetrievalModel(RetrievalConfig config, DecoderOnly network, Tensor? vectors)
    {
        (Config, Network, Vectors) = (config, network, vectors);
        Layout = new TokenLayout(config.CodebookSizes, config.CollisionTokens);
        network.eval();
    }

    public RetrievalConfig Config { get; }

    internal TokenLayout Layout { get; }

    internal DecoderOnly Network { get; }

    /// <summary>[trained items + 1, dim], the last row zero; null where the model knows codes alone.</summary>
    internal Tensor? Vectors { get; }

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
            if (state.Remove(VectorsKey, out var vectors) != config.Options.DenseInputs && !network.HasDenseHead)
            {
                throw new InvalidDataException($"'{VectorsKey}' does not fit dense inputs = {config.Options.DenseInputs}");
            }

            if (vectors is not null && !vectors.shape.SequenceEqual([config.TrainedItems + 1, config.Options.Dim]))
            {
                throw new InvalidDataException(
                    $"'{VectorsKey}' is [{string.Join(", ", vectors.shape)}], expected [{config.TrainedItems + 1}, {config.Options.Dim}]");
            }

            network.Restore(state);
            network.MoveTo(Devices.Of(device));
            return new RetrievalModel(config, network, vectors?.to(Devices.Of(device)).DetachFromDisposeScope());
        }
        catch (Exception exception) when (exception is not CatalogException)
        {
            network.Dispose();
            throw CatalogException.Damaged(
                $"'{weightsFile}' is damaged or of another model: {exception.Message}. Rebuild the version.", exception);
        }
    }

    /// <summary>The same weights with another share of the generative model; replaces this model, which is not disposed then.</summary>
    internal RetrievalModel WithAlpha(double alpha) => new(Config with { Alpha = alpha }, Network, Vectors);

    public void Dispose()
    {
        Network.Dispose();
        Vectors?.Dispose();
    }
}
