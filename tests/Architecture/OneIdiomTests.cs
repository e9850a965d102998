namespace Recsys.Architecture.Tests;

/// <summary>One idiom for one thing: what exists once stays so.</summary>
public sealed class OneIdiomTests
{
    [Theory]
    [InlineData("class Faults", "Catalog/Faults.cs")]
    [InlineData("Math.Cos(Math.PI *", "Torch/LearningRates.cs")]
    [InlineData("class WeightAverage", "Torch/WeightAverage.cs")]
    [InlineData("PropertyNamingPolicy", "Catalog/Json.cs")]
    [InlineData("JsonSerializerDefaults", "Catalog/Json.cs")]
    [InlineData("class TrainingIdentity", "Torch/TrainingIdentity.cs")]
    [InlineData("\"model.safetensors\"", "Torch/ModelFiles.cs")]
    public void It_is_written_in_one_file(string text, string file) => Assert.Equal([file], Holding(text));

    [Theory]
    [InlineData("new Random(unchecked((int)")] // Seeds.ToInt32 mixes all 64 bits
    [InlineData("IEnumerable<string> Faults(")] // options note theirs in Catalog's Faults
    public void It_is_written_nowhere_in_the_models(string text) => Assert.Empty(Holding(text));

    [Fact]
    public void Modules_are_run_by_forward() => Assert.DoesNotContain(
        Holding(".call("), file => !file.StartsWith("Store/", StringComparison.Ordinal)); // Redis scripts call

    private static string[] Holding(string text) =>
        [.. from room in SourceRuleTests.Rooms
            from path in Directory.GetFiles(Path.Combine(RepositoryRoot.Path, room), "*.cs", SearchOption.AllDirectories)
            where File.ReadAllText(path).Contains(text, StringComparison.Ordinal)
            select Path.GetRelativePath(RepositoryRoot.Path, path).Replace('\\', '/')];
}
