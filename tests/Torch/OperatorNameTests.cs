using System.Text.RegularExpressions;

namespace Recsys.Torch.Tests;

public partial class OperatorNameTests
{
    // Asked for with Has before use: they exist only in later versions.
    private static readonly string[] Newer = ["scaled_dot_product_attention", "_foreach_lerp_.Scalar", "rms_norm"];

    [Fact]
    public void Every_operator_that_the_sources_name_exists_in_this_libtorch()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root!.FullName, "Recsys.sln")))
        {
            root = root.Parent;
        }

        var names = Directory.GetFiles(Path.Combine(root.FullName, "Platform", "Torch"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Operator().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value + m.Groups[2].Value))
            .Distinct()
            .Except(Newer)
            .ToList();
        Assert.InRange(names.Count, 300, 2000);
        Assert.Equal([], names.Where(name => !Dispatcher.Has(name)));
    }

    [GeneratedRegex("""\b(?:Call|Call2|Call3|CallList|CallNumber|Run|InPlace|FromLeft|OnFloats)\("([a-z_0-9A-Z.]+)"|\bCallMany\("([a-z_0-9A-Z.]+)""")]
    private static partial Regex Operator();
}
