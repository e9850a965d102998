namespace Recsys.Cli.Demo.Shoppers;

/// <summary>
/// SplitMix64 (Steele, Lea, Flood 2014): a generator whose sequence is defined here and not by the runtime, so that simulated data
/// is the same on every version of .NET.
/// </summary>
internal struct SplitMix64(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A generator for one of many independent streams of a seed.</summary>
    public static SplitMix64 Stream(ulong seed, ulong stream)
    {
        var mixer = new SplitMix64(seed ^ (stream * 0xD1342543DE82EF95));
        return new SplitMix64(mixer.Next());
    }

    public ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in 0 to count − 1.</summary>
    public int Next(int count) => (int)Math.BigMul(Next(), (ulong)count, out _);

    /// <summary>An index with probability in proportion to its weight.</summary>
    public int Pick(int count, Func<int, double> weight)
    {
        double left = NextDouble() * Enumerable.Range(0, count).Sum(weight);
        int last = 0;
        for (int index = 0; index < count && left >= 0; index++)
        {
            if (weight(index) is > 0 and double own)
            {
                last = index;
                left -= own;
            }
        }

        return last;
    }

    /// <summary>Puts a list into random order (Fisher-Yates).</summary>
    public void Shuffle(Span<int> values)
    {
        for (int left = values.Length; left > 1; left--)
        {
            int other = Next(left);
            (values[left - 1], values[other]) = (values[other], values[left - 1]);
        }
    }
}
