using System.Diagnostics;
using System.Globalization;

namespace Recsys.Torch.Tests.Robustness;

/// <summary>
/// Random arguments at every export of the native library, from a plain C++ program (Platform/Native/tests) in a process of its own:
/// a crash is reported with its seed and its last call. 100,000 calls; RECSYS_FULL=1 makes them 1,000,000.
/// </summary>
public sealed class ExportFuzzTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-fuzz-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [CompilerFact]
    public void Every_export_takes_random_arguments_and_answers_with_a_status()
    {
        string library = NativeLibraryResolver.Candidates(Path.GetDirectoryName(typeof(torch).Assembly.Location)).First(File.Exists);
        string source = Path.Combine(Root(), "Platform", "Native", "tests", "fuzz.cpp"), program = Path.Combine(_folder, "native_fuzz");
        var compiled = Run("g++", ["-std=c++17", "-O1", "-o", program, source, library, $"-Wl,-rpath,{Path.GetDirectoryName(library)}", "-Wl,--allow-shlib-undefined"]);
        Assert.True(compiled.Code == 0, compiled.Output);

        var exported = ElfExports.Of(library).Where(name => name.StartsWith("rs_", StringComparison.Ordinal));
        var known = Run(program, ["--list"]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(exported.ToHashSet().IsSubsetOf(known), "Exports that the fuzz does not know; add them to Platform/Native/tests/fuzz_exports.h: " + string.Join(", ", exported.Except(known)));

        bool full = Environment.GetEnvironmentVariable("RECSYS_FULL") == "1";
        for (int seed = 1; seed <= (full ? 10 : 1); seed++)
        {
            var run = Run(program, [seed.ToString(CultureInfo.InvariantCulture), "100000"]);
            string trace = Path.Combine(_folder, "last");
            Assert.True(run.Code == 0, $"seed {seed} ended with {run.Code}: {run.Output} {(File.Exists(trace) ? File.ReadAllText(trace) : "")}");
            Assert.Contains(" 0 tensors left", run.Output, StringComparison.Ordinal);
        }
    }

    private (int Code, string Output) Run(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["RECSYS_FUZZ_TRACE"] = Path.Combine(_folder, "last");
        start.Environment["OMP_NUM_THREADS"] = "1";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, process.ExitCode == 0 ? output : output + string.Join('\n', errors.Result.Split('\n').TakeLast(20)));
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Recsys.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }
}

[AttributeUsage(AttributeTargets.Method)]
public sealed class CompilerFactAttribute : FactAttribute
{
    public CompilerFactAttribute()
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "g++"))))
        {
            Skip = "there is no g++ (apt-get install g++).";
        }
    }
}
