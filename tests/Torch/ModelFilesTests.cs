using System.Text.Json;
using System.Text.Json.Serialization;
using Recsys.Torch.Safetensors;
using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

public sealed class ModelFilesTests : IDisposable
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    public ModelFilesTests() => ModelFiles.Save(_folder["m"], new Config(3, 2), Tensors(), Json);

    private sealed record Config(int FirstWidth, int Width);

    private sealed class Refused(string message, Exception cause) : Exception(message, cause);

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void What_was_saved_comes_back_and_saved_again_has_the_same_bytes()
    {
        Assert.Equal("{\"first_width\":3,\"width\":2}", File.ReadAllText(_folder["m/config.json"]));
        var (config, weight) = Load();
        Assert.Equal((new Config(3, 2), 6), (config, weight.numel()));
        ModelFiles.Save(_folder["n"], config, Tensors(), Json);
        Assert.Equal(File.ReadAllBytes(_folder["m/model.safetensors"]), File.ReadAllBytes(_folder["n/model.safetensors"]));
    }

    [Theory]
    [InlineData("{\"first_width\":3,\"width\":2,\"depth\":1}", "depth")]
    [InlineData("{\"first_width\":3", "config.json")]
    [InlineData("null", "It is null")]
    [InlineData("{\"first_width\":3,\"width\":-2}", "width is -2")]
    [InlineData(null, "config.json")]
    public void A_configuration_that_is_wrong_is_refused_before_a_tensor_is_made(string? json, string part)
    {
        File.Delete(_folder["m/config.json"]);
        if (json is not null)
        {
            File.WriteAllText(_folder["m/config.json"], json);
        }

        File.Delete(_folder["m/model.safetensors"]); // nobody comes so far
        string message = Assert.Throws<Refused>(() => Load()).Message;
        Assert.Contains(part, message, StringComparison.Ordinal);
        Assert.DoesNotContain("model.safetensors", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing", "'0.weight' is missing")]
    [InlineData("shape", "'0.weight' is Float32 [3, 2], expected Float32 [2, 3]")]
    [InlineData("dtype", "'0.weight' is Float64 [2, 3], expected Float32 [2, 3]")]
    [InlineData("extra", "'extra' is unknown")]
    [InlineData("mean missing", "'mean' is missing")]
    [InlineData("mean dtype", "'mean' is Int64 [3], expected Float32 [3]")]
    [InlineData("mean shape", "'mean' is Float32 [2], expected Float32 [3]")]
    [InlineData("file", "model.safetensors")]
    public void Tensors_that_do_not_fit_are_refused_by_name_and_leave_nothing_behind(string fault, string part)
    {
        var tensors = Tensors();
        _ = fault switch
        {
            "nothing" => tensors.Remove("0.weight"),
            "shape" => (tensors["0.weight"] = ones(3, 2)) is not null,
            "dtype" => (tensors["0.weight"] = ones(2, 3, dtype: ScalarType.Float64)) is not null,
            "extra" => (tensors["extra"] = ones(1)) is not null,
            "mean missing" => tensors.Remove("mean"),
            "mean dtype" => (tensors["mean"] = ones(3, dtype: ScalarType.Int64)) is not null,
            "mean shape" => (tensors["mean"] = ones(2)) is not null,
            _ => true,
        };
        SafetensorsFile.Save(_folder["m/model.safetensors"], tensors);
        if (fault == "file")
        {
            File.WriteAllBytes(_folder["m/model.safetensors"], [1, 2, 3]);
        }

        Assert.Contains(part, Assert.Throws<Refused>(() => Load()).Message, StringComparison.Ordinal);
        Assert.All(_made, parameter => Assert.True(parameter.IsInvalid));
        Assert.Equal(part.StartsWith("'0.", StringComparison.Ordinal) || fault == "extra", _made.Count > 0);
    }

    private readonly List<Parameter> _made = [];

    private static Dictionary<string, Tensor> Tensors() => new() { ["0.weight"] = ones(2, 3), ["mean"] = ones(3) };

    private (Config Config, Tensor Weight) Load() => ModelFiles.Load<Config, (Config, Tensor)>(
        _folder["m"], Json, config => config.Width > 0 ? [] : [$"width is {config.Width}"], (message, cause) => new Refused(message, cause),
        (config, tensors) =>
        {
            using var mean = tensors.Take("mean", ScalarType.Float32, config.FirstWidth);
            var linear = nn.Linear(config.FirstWidth, config.Width, hasBias: false);
            _made.Add(linear.weight);
            nn.Sequential(linear).With(tensors);
            return (config, linear.weight);
        });
}
