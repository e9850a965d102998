namespace Recsys.Faiss.Files;

/// <summary>The lists of an inverted file, their coarse centroids, and its product codebooks where it has some.</summary>
internal static class InvertedFormat
{
    public static void Check(FormatReader reader, IndexHeader header, bool withCodes, Func<FormatReader, IndexHeader> coarse)
    {
        long lists = reader.Long("lists", 1, IvfIndex.MostLists);
        reader.Long("probes", 1, lists);
        var centroids = coarse(reader);
        header.MustHold(reader, centroids, centroids.Count);
        if (header.Trained ? centroids.Count != lists : centroids.Count != 0 && centroids.Count != lists)
        {
            throw reader.Fault($"{centroids.Count} centroids for {lists} lists");
        }

        if (reader.Bool("map from labels to lists"))
        {
            throw reader.Fault("a map from labels to lists is not read here");
        }

        reader.LengthIs("map from labels to lists", 0);
        long codeBytes = header.Dim * sizeof(float);
        if (withCodes)
        {
            reader.Bool("codes of residuals");
            codeBytes = reader.Long("bytes of a code", 1, header.Dim * 2L);
            int found = IndexFormat.ProductCodebooks(reader, header.Dim, mostBits: 8);
            if (found != codeBytes)
            {
                throw reader.Fault($"{codeBytes} bytes a code; its codebooks make {found}");
            }
        }

        Lists(reader, header, lists, codeBytes, floats: !withCodes);
    }

    private static void Lists(FormatReader reader, IndexHeader header, long lists, long codeBytes, bool floats)
    {
        string kind = reader.FourCharacters("kind of lists");
        if (kind != "ilar")
        {
            throw reader.Fault("lists of another kind than arrays are not read here");
        }

        reader.Long("lists", lists, lists);
        reader.Long("bytes of a code", codeBytes, codeBytes);
        string layout = reader.FourCharacters("layout of the lists");
        long entries = reader.Length("sizes of the lists", sizeof(long));
        var sizes = reader.Longs(entries, "sizes of the lists");
        if (layout == "full" ? entries != lists : layout != "sprs" || entries % 2 != 0)
        {
            throw reader.Fault($"{entries} sizes for {lists} lists");
        }

        long before = -1, held = 0;
        for (int i = 0; i < sizes.Length; i++)
        {
            if (layout == "sprs")
            {
                long list = sizes[i++];
                if (list <= before || list >= lists)
                {
                    throw reader.Fault($"list {list} after list {before} of {lists}");
                }

                before = list;
            }

            long size = sizes[i];
            if (size < 0 || size > header.Count - held)
            {
                throw reader.Fault($"a list of {size} vectors, more than the {header.Count} there are");
            }

            held += size;
            if (floats)
            {
                reader.Floats(checked(size * header.Dim), "a list");
            }
            else
            {
                reader.Skip(size, (int)codeBytes, "a list");
            }

            reader.Labels(size, "a list");
        }

        if (held != header.Count)
        {
            throw reader.Fault($"{held} vectors in the lists of an index of {header.Count}");
        }
    }
}
