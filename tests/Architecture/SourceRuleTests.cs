using System.Text.RegularExpressions;

namespace Recsys.Architecture.Tests;

/// <summary>House rules that the compiler does not know, read off the sources.</summary>
public sealed partial class SourceRuleTests
{
    private static readonly string[] Roots =
        ["Torch", "Faiss", "Imaging", "Catalog", "Embeddings", "Store", "Quantizer", "Retrieval", "Diffusion", "Protos", "Jobs", "Server"];

    [Fact]
    public void PInvoke_and_unsafe_appear_only_in_Torch_and_Faiss() =>
        Refuse(file => !file.StartsWith("Torch/", StringComparison.Ordinal) && !file.StartsWith("Faiss/", StringComparison.Ordinal), PInvokeOrUnsafe());

    [Fact]
    public void Grpc_types_appear_only_in_services_the_server_and_the_protos() =>
        Refuse(
            file => !file.StartsWith("Protos/", StringComparison.Ordinal) && !file.StartsWith("Server/", StringComparison.Ordinal) && !file.Contains("/Service/", StringComparison.Ordinal),
            GrpcTypes());

    [Fact]
    public void Redis_types_appear_only_in_Store() =>
        Refuse(file => !file.StartsWith("Store/", StringComparison.Ordinal), RedisTypes());

    [Fact]
    public void Libvips_types_appear_only_in_Imaging() =>
        Refuse(file => !file.StartsWith("Imaging/", StringComparison.Ordinal), LibvipsTypes());

    [Fact]
    public void Models_and_solvers_do_no_input_output_and_no_logging() =>
        Refuse(file => PureFolder().IsMatch(file), InputOutput());

    [Fact]
    public void No_name_says_Common_Utils_Helpers_or_Manager()
    {
        var named = Sources().Where(file => VagueName().IsMatch(file)).ToList();
        Assert.Empty(named);
        Refuse(_ => true, VagueType());
    }

    [Fact]
    public void Nothing_is_left_unfinished() => Refuse(_ => true, Unfinished());

    private static void Refuse(Func<string, bool> applies, Regex pattern)
    {
        var found = from file in Sources()
                    where applies(file)
                    from line in File.ReadLines(Path.Combine(RepositoryRoot.Path, file)).Select((text, index) => (text, number: index + 1))
                    where pattern.IsMatch(line.text)
                    select $"{file}:{line.number}: {line.text.Trim()}";
        Assert.Empty(found);
    }

    private static IEnumerable<string> Sources() =>
        Roots.SelectMany(root => Directory.GetFiles(Path.Combine(RepositoryRoot.Path, root), "*.cs", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(RepositoryRoot.Path, file).Replace('\\', '/'));

    [GeneratedRegex(@"\b(DllImport|LibraryImport)\b|\bunsafe\b(?!,? as)")]
    private static partial Regex PInvokeOrUnsafe();

    [GeneratedRegex(@"^\s*using\s+(static\s+)?Grpc\.|\bGrpc\.Core\b|\bServerCallContext\b|\bRpcException\b")]
    private static partial Regex GrpcTypes();

    [GeneratedRegex(@"\bStackExchange\b|\bI?ConnectionMultiplexer\b")]
    private static partial Regex RedisTypes();

    [GeneratedRegex(@"\bNetVips\b")]
    private static partial Regex LibvipsTypes();

    [GeneratedRegex(@"/(Models|Denoisers|Solvers|Paths|Predictions|Guidance|Conditioners)/")]
    private static partial Regex PureFolder();

    [GeneratedRegex(@"\b(File|Directory|Console)\.|\bILogger\b|\bIServiceProvider\b|\bIServiceCollection\b")]
    private static partial Regex InputOutput();

    [GeneratedRegex(@"(^|/)(Common|Utils?|Helpers?|Managers?)(/|\.cs$)|(Utils?|Helpers?|Manager)\.cs$")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"\b(class|struct|interface|record)\s+\w*(Common|Utils?|Helpers?|Manager)\b")]
    private static partial Regex VagueType();

    [GeneratedRegex(@"NotImplementedException|\bTODO\b|\bFIXME\b|\bHACK\b")]
    private static partial Regex Unfinished();
}
