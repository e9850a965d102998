using System.Numerics;

namespace Recsys.Retrieval.Decoding;

/// <summary>The best of many scores.</summary>
public static class TopItems
{
    /// <summary>The places of the n largest scores, best first, of equal ones the smaller place first; NaN is none.</summary>
    /// <param name="scores">[items]</param>
    /// <param name="admission">The places that count; null: every one.</param>
    public static int[] Of(ReadOnlySpan<float> scores, int n, Admission? admission = null)
    {
        if (admission?.Few is { } few)
        {
            int length = scores.Length;
            int[] listed = [.. few.Where(place => place < length)];
            var theirs = new float[listed.Length];
            for (int i = 0; i < listed.Length; i++)
            {
                theirs[i] = scores[listed[i]];
            }

            return Of(theirs, listed, n);
        }

        if (n == 0)
        {
            return [];
        }

        // The worst of those kept comes out first: the smallest score, of equal ones the largest place.
        var kept = new PriorityQueue<int, long>(n + 1);
        float least = float.NegativeInfinity;
        for (int place = 0; place < scores.Length; place++)
        {
            if (kept.Count == n)
            {
                place += BelowAll(scores[place..], least); // most are
                if (place == scores.Length)
                {
                    break;
                }
            }

            float score = scores[place];
            if (score > least || (kept.Count < n && !float.IsNaN(score)))
            {
                if (admission?.Allows(place) == false)
                {
                    continue;
                }

                if (kept.Count < n)
                {
                    kept.Enqueue(place, Order(score, place));
                }
                else
                {
                    kept.EnqueueDequeue(place, Order(score, place));
                }

                least = kept.Count == n ? scores[kept.Peek()] : float.NegativeInfinity;
            }
        }

        return BestFirst(kept);
    }

    /// <summary>The items of the n largest scores, best first, of equal ones the smaller item first; NaN is none.</summary>
    /// <param name="scores">[items]</param>
    /// <param name="items">In any order, none twice.</param>
    public static int[] Of(ReadOnlySpan<float> scores, ReadOnlySpan<int> items, int n)
    {
        var kept = new PriorityQueue<int, long>(n + 1);
        for (int i = 0; i < items.Length; i++)
        {
            if (!float.IsNaN(scores[i]))
            {
                long order = Order(scores[i], items[i]);
                if (kept.Count < n)
                {
                    kept.Enqueue(items[i], order);
                }
                else
                {
                    kept.EnqueueDequeue(items[i], order);
                }
            }
        }

        return BestFirst(kept);
    }

    private static int[] BestFirst(PriorityQueue<int, long> kept)
    {
        var best = new int[kept.Count];
        for (int i = best.Length - 1; i >= 0; i--)
        {
            best[i] = kept.Dequeue();
        }

        return best;
    }

    /// <summary>A number that is larger for a larger score, and of equal ones for a smaller place: compared as one, not as two.</summary>
    private static long Order(float score, int place)
    {
        int bits = BitConverter.SingleToInt32Bits(score + 0f); // −0 becomes 0
        return ((long)(bits ^ ((bits >> 31) & int.MaxValue)) << 32) | (uint)(int.MaxValue - place);
    }

    /// <summary>How many of the first scores are not above a bound, in whole vectors.</summary>
    private static int BelowAll(ReadOnlySpan<float> scores, float bound)
    {
        var bounds = new Vector<float>(bound);
        int at = 0;
        while (at + Vector<float>.Count <= scores.Length && !Vector.GreaterThanAny(new Vector<float>(scores[at..]), bounds))
        {
            at += Vector<float>.Count;
        }

        return at;
    }
}
