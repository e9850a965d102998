namespace Recsys.Files.Tests;

public sealed class AtomicFileTests
{
    [Fact]
    public void A_write_that_fails_leaves_the_old_content_and_nothing_else()
    {
        using var folder = new TemporaryFolder().With("a.txt", "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(folder["a.txt"], stream =>
        {
            stream.WriteByte(1);
            throw new InvalidOperationException("the writer's own");
        }));
        Assert.Equal("old", File.ReadAllText(folder["a.txt"]));
        Assert.Equal([folder["a.txt"]], Directory.GetFileSystemEntries(folder.Path));
        AtomicFile.WriteText(folder["a.txt"], "né");
        Assert.Equal("né"u8.ToArray(), File.ReadAllBytes(folder["a.txt"]));
    }

    [MountFact]
    public void A_full_device_keeps_the_old_content()
    {
        using var device = new MountedFolder(20);
        File.WriteAllText(device["a.txt"], "old");
        var error = Assert.Throws<IOException>(() => AtomicFile.WriteText(device["a.txt"], new string('x', 40_000)));
        Assert.Contains(device["a.txt"], error.Message, StringComparison.Ordinal);
        Assert.Equal("old", File.ReadAllText(device["a.txt"]));
        Assert.Equal([device["a.txt"]], Directory.GetFileSystemEntries(device.Path));
    }

    [MountFact]
    public void A_read_only_device_keeps_the_old_content()
    {
        using var device = new MountedFolder(20);
        File.WriteAllText(device["a.txt"], "old");
        device.MakeReadOnly();
        var refused = Assert.Throws<IOException>(() => AtomicFile.WriteText(device["a.txt"], "new"));
        Assert.Contains(device["a.txt"], refused.Message, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => FileLock.TryExclusive(device["lock"]));
        Assert.Equal("old", File.ReadAllText(device["a.txt"]));
        Assert.Equal([device["a.txt"]], Directory.GetFileSystemEntries(device.Path));
    }

    [Theory]
    [InlineData("taken/a.txt")]
    [InlineData("none/a.txt")]
    [InlineData("folder")]
    public void Where_no_file_can_be_the_place_is_named(string relative)
    {
        using var folder = new TemporaryFolder().With("taken", "a file").With("folder/kept", "x");
        var error = Assert.ThrowsAny<SystemException>(() => AtomicFile.WriteText(folder[relative], "new"));
        Assert.True(error is IOException or UnauthorizedAccessException, error.ToString());
        Assert.Contains(folder[relative], error.Message, StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFileSystemEntries(folder.Path).Length);
        Assert.True(File.Exists(folder["folder/kept"]));
    }
}
