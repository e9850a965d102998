namespace Recsys.Tests;

/// <summary>A folder of its own for one test, removed with it.</summary>
public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("recsys-").FullName;

    public string this[string relative] => System.IO.Path.Combine(Path, relative);

    public TemporaryFolder With(string relative, string text) => With(relative, System.Text.Encoding.UTF8.GetBytes(text));

    public TemporaryFolder With(string relative, byte[] bytes)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(this[relative])!);
        File.WriteAllBytes(this[relative], bytes);
        return this;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
