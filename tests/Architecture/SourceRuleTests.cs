using System.Text.RegularExpressions;

namespace Recsys.Architecture.Tests;

/// <summary>House rules that the compiler does not know, read off the sources.</summary>
public sealed partial class SourceRuleTests
{
    private const int LongestLine = 140, LongestFile = 300;

    /// <summary>All of the product's lines; raised when the legs, the ways to make semantic IDs, evaluation, TIGER's encoder-decoder with
    /// cold items, greedy codes in bf16 with the legs' interplay, filters with scores and similar items, decoding in loops of our own, live
    /// items and events with explanations, pages and a client, and catalogues of millions came in.</summary>
    private const int LongestProduct = 38_500;

    internal static readonly string[] Rooms =
    [
        "Catalog", "Protos", "Files", "Datasets", "Imaging", "Torch", "Faiss", "Mpi", "Embeddings", "Quantizer", "Retrieval", "Diffusion",
        "Store", "Jobs", "Server", "Client", "Cli",
    ];

    /// <summary>Under the same rules, but no product: nothing that a user runs calls it.</summary>
    private const string Bench = "bench";

    private const string Tests = "tests";

    [Fact]
    public void A_namespace_is_the_folder()
    {
        var strays = Sources()
            .Select(file => (
                File: file,
                Says: File.ReadLines(Path.Combine(RepositoryRoot.Path, file))
                    .FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal))))
            .Where(file => file.Says is not null
                && file.Says != $"namespace Recsys.{Capital(Path.GetDirectoryName(file.File)!.Replace('/', '.'))};");
        Assert.Empty(strays);
    }

    [Fact]
    public void No_file_and_no_line_is_long()
    {
        var lengths = Sources().Concat(SourcesOf(Tests))
            .Select(file => (File: file, Lines: File.ReadAllLines(Path.Combine(RepositoryRoot.Path, file)))).ToList();
        Assert.Empty(lengths.Where(file => file.Lines.Length > LongestFile).Select(file => $"{file.File}: {file.Lines.Length} lines"));
        Assert.Empty(lengths.SelectMany(file => file.Lines.Index().Where(line => line.Item.Length > LongestLine)
            .Select(line => $"{file.File}:{line.Index + 1}: {line.Item.Length} characters")));
        Assert.InRange(lengths.Where(file => IsProduct(file.File)).Sum(file => file.Lines.Length), 1, LongestProduct);
    }

    /// <summary>NuGet gives that folder with a slash at its end, but as the user wrote it where NUGET_PACKAGES names it.</summary>
    [Fact]
    public void A_file_of_a_package_is_found_with_a_package_folder_of_the_users_own() =>
        Assert.Empty(Directory.EnumerateFiles(RepositoryRoot.Path, "*.csproj", SearchOption.AllDirectories)
            .Where(file => NakedPackageRoot().IsMatch(File.ReadAllText(file)))
            .Select(file => Path.GetRelativePath(RepositoryRoot.Path, file)));

    [Fact]
    public void PInvoke_and_unsafe_appear_only_in_Torch_Faiss_and_Mpi() =>
        Refuse(
            file => !file.StartsWith("Torch/", StringComparison.Ordinal) && !file.StartsWith("Faiss/", StringComparison.Ordinal)
                && !file.StartsWith("Mpi/", StringComparison.Ordinal),
            PInvokeOrUnsafe());

    [Fact]
    public void Grpc_types_appear_only_in_services_the_server_its_clients_and_the_protos() =>
        Refuse(
            file => !file.StartsWith("Protos/", StringComparison.Ordinal) && !file.StartsWith("Server/", StringComparison.Ordinal)
                && !file.StartsWith("Cli/", StringComparison.Ordinal) && !file.StartsWith("Client/", StringComparison.Ordinal)
                && !file.Contains("/Service/", StringComparison.Ordinal),
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

    /// <summary>Gradients off and dispose scopes belong to a thread: what is awaited inside goes on, and ends, on another.</summary>
    [Fact]
    public void Nothing_is_awaited_in_a_file_that_switches_gradients_off_or_opens_a_dispose_scope()
    {
        var computing = Sources().Where(file => Scope().IsMatch(File.ReadAllText(Path.Combine(RepositoryRoot.Path, file)))).ToHashSet();
        Assert.NotEmpty(computing);
        Refuse(computing.Contains, Await());
    }

    /// <summary>Parts of the packages that do other than their names say; what each does stands beside the pattern.</summary>
    [Fact]
    public void What_the_packages_do_not_do_rightly_is_not_used() => Refuse(_ => true, Traps());

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

    private static IEnumerable<string> Sources() => Rooms.Append(Bench).SelectMany(SourcesOf);

    private static IEnumerable<string> SourcesOf(string folder) =>
        Directory.GetFiles(Path.Combine(RepositoryRoot.Path, folder), "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(RepositoryRoot.Path, file).Replace('\\', '/'));

    private static bool IsProduct(string file) => file.Split('/')[0] is not (Bench or Tests);

    private static string Capital(string folder) => char.ToUpperInvariant(folder[0]) + folder[1..];

    [GeneratedRegex(@"\$\(NuGetPackageRoot\)[^')""]")]
    private static partial Regex NakedPackageRoot();

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

    [GeneratedRegex(@"\bno_grad\(|\bNewDisposeScope\(")]
    private static partial Regex Scope();

    [GeneratedRegex(@"\bawait\b")]
    private static partial Regex Await();

    // An optimiser's zero_grad keeps zeros, which momentum and decay still move; a boolean mask hides nothing in these layers; initialisers
    // ignore their generator; a loader repeats its order; the precision setting throws; a script in a batch never completes.
    [GeneratedRegex(
        @"\b_?optimi[sz]er\??\.zero_grad|\bMultiheadAttention\b|\bTransformer(En|De)coder|\binit\.(normal|uniform)_|\bDataLoader\b"
        + @"|set_float32_matmul_precision|\bCreateBatch\(|\bCreateTransaction\(")]
    private static partial Regex Traps();
}
