using System.Diagnostics;
using System.Text;

namespace Recsys.Torch.Tests.Safetensors;

/// <summary>
/// The official implementation as a process: the command that SAFETENSORS_PEER holds. It reads requests, a line each, from standard input and
/// answers on standard output; texts and bytes are hexadecimal, a nothing is "-", a shape is "2,3".
/// <code>
/// read PATH          → any number of "metadata KEY VALUE" and "tensor NAME DTYPE SHAPE DATA", then "ok"; or "refused …"
/// write PATH         then "metadata …" and "tensor …" lines and "end" → "ok"
/// accept PATH        → for each file in it, which a length of 8 bytes precedes: "accepted", "refused …" or "panicked"; then "ok"
/// </code>
/// </summary>
internal sealed class SafetensorsPeer : IDisposable
{
    private readonly Process _process;

    internal SafetensorsPeer()
    {
        string[] command = Environment.GetEnvironmentVariable(OfficialFactAttribute.Variable)!.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        _process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>The file's tensors and metadata, as lines in the order of their names.</summary>
    internal List<string> Read(string path)
    {
        Send($"read {Hex(path)}");
        List<string> lines = Answer();
        return [.. lines.Order(StringComparer.Ordinal)];
    }

    internal void Write(string path, IEnumerable<string> lines)
    {
        Send($"write {Hex(path)}");
        foreach (string line in lines)
        {
            Send(line);
        }

        Send("end");
        Assert.Empty(Answer());
    }

    /// <summary>What it says to each file.</summary>
    internal List<string> Accept(IEnumerable<byte[]> files)
    {
        string path = Path.GetTempFileName();
        try
        {
            using (FileStream all = File.Create(path))
            {
                foreach (byte[] file in files)
                {
                    all.Write(BitConverter.GetBytes((long)file.Length));
                    all.Write(file);
                }
            }

            Send($"accept {Hex(path)}");
            return Answer();
        }
        finally
        {
            File.Delete(path);
        }
    }

    internal static string Line(string name, string dtype, long[] shape, ReadOnlySpan<byte> data) =>
        $"tensor {Hex(name)} {dtype} {(shape.Length == 0 ? "-" : string.Join(',', shape))} {(data.IsEmpty ? "-" : Convert.ToHexStringLower(data))}";

    internal static string Line(string key, string value) => $"metadata {Hex(key)} {Hex(value)}";

    private static string Hex(string text) => text.Length == 0 ? "-" : Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text));

    private void Send(string line)
    {
        _process.StandardInput.Write(line);
        _process.StandardInput.Write('\n');
        _process.StandardInput.Flush();
    }

    private List<string> Answer()
    {
        List<string> lines = [];
        while (true)
        {
            string line = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the peer ended");
            if (line == "ok")
            {
                return lines;
            }

            lines.Add(line);
        }
    }
}

[AttributeUsage(AttributeTargets.Method)]
public sealed class OfficialFactAttribute : FactAttribute
{
    internal const string Variable = "SAFETENSORS_PEER";

    public OfficialFactAttribute()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable)))
        {
            Skip = $"{Variable} names no command that speaks for the official implementation (tests/Torch/Safetensors/SafetensorsPeer.cs has its protocol).";
        }
    }
}
