namespace Recsys.Files.Tests;

public sealed class FileLockTests
{
    [Fact]
    public void A_lock_file_that_cannot_be_made_is_no_lock_that_somebody_holds()
    {
        // A link to itself cannot be opened, as a full disk's new file cannot: waiting for its holder would be waiting for nobody.
        using var folder = new TemporaryFolder();
        string loop = folder["loop"], free = folder["free"];
        File.CreateSymbolicLink(loop, loop);
        Assert.Throws<IOException>(() => FileLock.TryExclusive(loop));
        Assert.Throws<IOException>(() => FileLock.Exclusive(loop, TimeSpan.FromDays(1), TimeProvider.System));
        using var held = FileLock.TryExclusive(free);
        Assert.NotNull(held);
        Assert.Null(FileLock.TryExclusive(free));
    }
}
