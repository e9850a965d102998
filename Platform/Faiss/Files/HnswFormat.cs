namespace Recsys.Faiss.Files;

/// <summary>The graph of an HNSW index: every link must lead to a vector that exists on the link's level.</summary>
internal static class HnswFormat
{
    private const int MostLevels = 64;

    public static void Check(FormatReader reader, IndexHeader header, Func<FormatReader, IndexHeader> storage)
    {
        header.MustBeTrained(reader);
        int levels = (int)reader.Length("level probabilities", sizeof(double));
        if (levels is < 1 or > MostLevels || header.Count > int.MaxValue)
        {
            throw reader.Fault($"{levels} levels and {header.Count} vectors; 1 to {MostLevels} and {int.MaxValue:N0} are possible");
        }

        foreach (double share in reader.Doubles(levels, "level probabilities"))
        {
            if (share is not (>= 0 and <= 1))
            {
                throw reader.Fault($"a level probability of {share}");
            }
        }

        reader.LengthIs("links up to a level", levels + 1);
        var upTo = reader.Ints(levels + 1, "links up to a level");
        for (int level = 0; level <= levels; level++)
        {
            if (upTo[level] < (level == 0 ? 0 : upTo[level - 1] + 1) || (level == 0 && upTo[level] != 0)
                || upTo[level] > 2 * HnswIndex.MostLinks * (level + 1))
            {
                throw reader.Fault($"{upTo[level]} links up to level {level}");
            }
        }

        reader.LengthIs("levels", header.Count);
        var top = reader.Ints(header.Count, "levels");
        reader.LengthIs("offsets", header.Count + 1);
        var offsets = reader.Longs(header.Count + 1, "offsets");
        Offsets(reader, top, offsets, upTo);
        reader.LengthIs("links", offsets[^1]);
        if (offsets[^1] > int.MaxValue)
        {
            throw reader.Fault($"{offsets[^1]:N0} links are too many");
        }

        Links(reader, top, offsets, upTo, reader.Ints(offsets[^1], "links"));
        Entry(reader, top);
        reader.Int("build candidates", 1, HnswIndex.MostCandidates);
        reader.Int("search candidates", 1, HnswIndex.MostCandidates);
        reader.Int("upper beam", 1, 1);
        header.MustHold(reader, storage(reader), header.Count);
    }

    private static void Offsets(FormatReader reader, ReadOnlySpan<int> top, ReadOnlySpan<long> offsets, ReadOnlySpan<int> upTo)
    {
        bool fits = offsets[0] == 0;
        for (int i = 0; fits && i < top.Length; i++)
        {
            fits = top[i] >= 1 && top[i] < upTo.Length && offsets[i + 1] == offsets[i] + upTo[top[i]];
        }

        if (!fits)
        {
            throw reader.Fault("levels and offsets that do not fit each other");
        }
    }

    private static void Links(FormatReader reader, ReadOnlySpan<int> top, ReadOnlySpan<long> offsets, ReadOnlySpan<int> upTo, ReadOnlySpan<int> links)
    {
        for (int i = 0; i < top.Length; i++)
        {
            for (int level = 0; level < top[i]; level++)
            {
                foreach (int to in links[((int)offsets[i] + upTo[level])..((int)offsets[i] + upTo[level + 1])])
                {
                    if (to < -1 || to >= top.Length || (to >= 0 && top[to] <= level))
                    {
                        throw reader.Fault($"vector {i} is linked on level {level} to {to}, which is not there");
                    }
                }
            }
        }
    }

    private static void Entry(FormatReader reader, ReadOnlySpan<int> top)
    {
        int entry = reader.Int("entry point", -1, top.Length - 1), highest = reader.Int("highest level", -1, MostLevels);
        if (entry < 0 ? top.Length > 0 || highest != -1 : highest != top[entry] - 1)
        {
            throw reader.Fault($"entry point {entry} with highest level {highest}");
        }
    }
}
