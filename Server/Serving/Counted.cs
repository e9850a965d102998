namespace Recsys.Server.Serving;

/// <summary>What several hold at once: its maker holds one reference, everybody else retains another, and it ends with the last.</summary>
internal abstract class Counted
{
    private int _references = 1;

    /// <summary>False when the last reference is gone already.</summary>
    public bool TryRetain()
    {
        for (int seen = Volatile.Read(ref _references); seen > 0; seen = Volatile.Read(ref _references))
        {
            if (Interlocked.CompareExchange(ref _references, seen + 1, seen) == seen)
            {
                return true;
            }
        }

        return false;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            End();
        }
    }

    /// <summary>Called once, by whoever gave the last reference back.</summary>
    protected abstract void End();
}
