using Recsys.Catalog;

namespace Recsys.Store.Tests;

internal static class Refusal
{
    /// <summary>The call ends with a typed error of this fault, and no other.</summary>
    public static async Task IsAsync(Fault fault, Func<Task> call) =>
        Assert.Equal(fault, (await Assert.ThrowsAsync<CatalogException>(call)).Fault);
}
