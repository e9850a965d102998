using Recsys.Catalog;
using Recsys.Quantizer.Models;
using Recsys.Torch.Safetensors;

namespace Recsys.Quantizer.Encoding;

/// <summary>A codebook as two files of one folder: <c>config.json</c> and <c>codebook.safetensors</c>.</summary>
internal static class CodebookFiles
{
    private const string ConfigName = "config.json";
    private const string TensorsName = "codebook.safetensors";

    /// <summary>Writes both files; equal codebooks give equal bytes.</summary>
    public static void Save(Codebook codebook, string folder)
    {
        Directory.CreateDirectory(folder);
        using var scope = NewDisposeScope();
        nn.Module network = codebook.Model is ResidualKMeansModel kMeans ? kMeans.Codebooks : (RqVae)codebook.Model;
        var tensors = network.state_dict().ToDictionary(t => "model." + t.Key, t => t.Value);
        foreach (var part in codebook.Fusion.Parts)
        {
            tensors[$"fusion.{part.Name}.mean"] = tensor(part.Mean);
        }

        SafetensorsFile.Save(Path.Combine(folder, TensorsName), tensors);
        var rqVae = codebook.Model as RqVae;
        var config = new CodebookConfig(
            CodebookConfig.CurrentFormat,
            codebook.Kind,
            [.. codebook.Sizes],
            [.. codebook.Fusion.Parts.Select(p => new CodebookConfig.Part(p.Name, p.Dim, p.Weight, p.KeepLength, p.Scale, p.Space))],
            rqVae is null ? null : [.. rqVae.Hidden],
            rqVae?.LatentDim);
        File.WriteAllText(Path.Combine(folder, ConfigName), config.ToJson());
    }

    /// <exception cref="CatalogException">DataLoss: a file is missing, damaged, or does not fit the other.</exception>
    public static Codebook Load(string folder)
    {
        string configPath = Path.Combine(folder, ConfigName), tensorsPath = Path.Combine(folder, TensorsName);
        foreach (string path in new[] { configPath, tensorsPath })
        {
            if (!File.Exists(path))
            {
                throw CatalogException.Damaged($"'{path}' is missing. Rebuild the version.");
            }
        }

        var config = CodebookConfig.Parse(File.ReadAllBytes(configPath), configPath);
        using var scope = NewDisposeScope();
        try
        {
            var tensors = SafetensorsFile.Load(tensorsPath);
            var fusion = new Fusion(
                [.. config.Fusion.Select(p => new FusionPart(
                    p.Name, p.Dim, p.Weight, p.KeepLength, Mean(tensors, p), p.Scale, p.Space))]);
            return new Codebook(config.Kind, fusion, Model(config, fusion.Dim, tensors));
        }
        catch (Exception fault) when (fault is SafetensorsException or TorchException)
        {
            throw CatalogException.Damaged(
                $"'{tensorsPath}' is damaged or does not fit {ConfigName}: {fault.Message} Rebuild the version.", fault);
        }
    }

    private static float[] Mean(Dictionary<string, Tensor> tensors, CodebookConfig.Part part)
    {
        string name = $"fusion.{part.Name}.mean";
        if (!tensors.TryGetValue(name, out var mean) || mean.dtype != ScalarType.Float32 || mean.numel() != part.Dim)
        {
            throw CatalogException.Damaged($"The codebook's tensors lack '{name}' with {part.Dim} float32 values. Rebuild the version.");
        }

        using var data = mean.data<float>();
        return data.ToArray();
    }

    private static IQuantizerModel Model(CodebookConfig config, int inputDim, Dictionary<string, Tensor> tensors)
    {
        var state = tensors.Where(
            t => t.Key.StartsWith("model.", StringComparison.Ordinal)).ToDictionary(t => t.Key["model.".Length..], t => t.Value);
        if (config.Kind == QuantizerKind.RqVae)
        {
            var rqVae = new RqVae(inputDim, config.Hidden!, config.LatentDim!.Value, config.Sizes);
            rqVae.Restore(state);
            rqVae.eval();
            return rqVae;
        }

        var codebooks = new ResidualCodebooks(config.Sizes, inputDim);
        codebooks.Restore(state);
        return new ResidualKMeansModel(codebooks);
    }
}
