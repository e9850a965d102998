using System.Diagnostics;

namespace Recsys.Torch.Tests.Peer;

/// <summary>Debian's PyTorch (python3-torch), which evaluates expressions for a test; asked once and kept.</summary>
internal static class PyTorch
{
    private const string Python = "/usr/bin/python3";
    private static readonly Lazy<bool> Installed = new(() => File.Exists(Python) && Run("import torch", "").Code == 0);

    internal static bool IsInstalled => Installed.Value;

    /// <summary>Shape and values (as float64) of each expression.</summary>
    /// <exception cref="InvalidOperationException">One of them failed; the message is Python's.</exception>
    internal static Dictionary<string, (long[] Shape, double[] Values)> Evaluate(string prelude, IEnumerable<(string Name, string Expression)> expressions)
    {
        string script = prelude + """

            import sys
            for line in sys.stdin:
                name, expression = line.rstrip('\n').split('\t')
                try:
                    y = eval(expression)
                except Exception as e:
                    raise RuntimeError(name + ': ' + str(e))
                print(name, ' '.join(map(str, y.shape)), y.detach().double().contiguous().numpy().tobytes().hex(), sep='\t')
            """;
        var (code, output, errors) = Run(script, string.Concat(expressions.Select(e => $"{e.Name}\t{e.Expression}\n")));
        if (code != 0)
        {
            throw new InvalidOperationException(errors);
        }

        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToDictionary(
            part => part[0],
            part => (part[1].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse).ToArray(), ToDoubles(Convert.FromHexString(part[2]))));
    }

    private static double[] ToDoubles(byte[] bytes)
    {
        var values = new double[bytes.Length / sizeof(double)];
        Buffer.BlockCopy(bytes, 0, values, 0, bytes.Length);
        return values;
    }

    private static (int Code, string Output, string Errors) Run(string script, string input)
    {
        var start = new ProcessStartInfo(Python, ["-c", script]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        return (process.ExitCode, output.Result, errors.Result);
    }
}

[AttributeUsage(AttributeTargets.Method)]
public sealed class PyTorchFactAttribute : FactAttribute
{
    public PyTorchFactAttribute()
    {
        if (!PyTorch.IsInstalled)
        {
            Skip = "/usr/bin/python3 has no torch (apt-get install python3-torch).";
        }
    }
}
