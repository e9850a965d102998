namespace Recsys.Torch.Tests;

/// <summary>What earlier tests dropped, which the finalizers would otherwise free in the middle of a count.</summary>
internal static class Garbage
{
    public static void Collect()
    {
        for (int i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
