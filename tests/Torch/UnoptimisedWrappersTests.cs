using System.Diagnostics;
using System.Reflection;

namespace Recsys.Torch.Tests;

/// <summary>See build/UnoptimisedWrappers.cs.</summary>
public sealed class UnoptimisedWrappersTests
{
    [Fact]
    public void The_wrappers_keep_their_arguments_until_they_return() =>
        Assert.True(typeof(torch).Assembly.GetCustomAttribute<DebuggableAttribute>()!.IsJITOptimizerDisabled);

    [Fact]
    public async Task A_collection_beside_a_call_changes_no_sum()
    {
        var until = Stopwatch.StartNew();
        bool Going() => until.Elapsed < TimeSpan.FromSeconds(3);
        var collecting = Task.Run(() =>
        {
            while (Going())
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        var wrong = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            using var a = ones(64);
            int other = 0;
            while (Going())
            {
                using var sum = a + a;
                using var half = sum / 2.0;
                other += half.sum().item<float>() == 64 ? 0 : 1;
            }

            return other;
        })));
        await collecting;
        Assert.Equal(0, wrong.Sum());
    }
}
