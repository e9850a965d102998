namespace Recsys.Faiss.Files;

/// <summary>
/// FAISS 1.7.3's file format, read along to see whether FAISS may read it: its own reader believes every size and every link of a file.
/// Known are the kinds that have a type here, with or without a map of ids around them.
/// </summary>
internal static class IndexFormat
{
    /// <exception cref="FaissFileException">Unknown kind, a size that does not fit, a link that leads nowhere, a value out of its range, bytes left over.</exception>
    public static unsafe void Check(byte* bytes, long length)
    {
        var reader = new FormatReader(bytes, length);
        Index(reader, mapped: false);
        if (reader.Left != 0)
        {
            throw reader.Fault($"{reader.Left:N0} bytes stand behind the index");
        }
    }

    private static void Index(FormatReader reader, bool mapped)
    {
        string kind = reader.FourCharacters("kind");
        switch (kind)
        {
            case "IxF2" or "IxFI":
                Flat(reader, kind);
                break;
            case "IxPq":
                Product(reader);
                break;
            case "IxRq":
                Residual(reader);
                break;
            case "IHNf":
                HnswFormat.Check(reader, IndexHeader.Read(reader, kind), storage => Flat(storage, storage.FourCharacters("kind")));
                break;
            case "IwFl" or "IwPQ" when !mapped:
                InvertedFormat.Check(reader, IndexHeader.Read(reader, kind), withCodes: kind == "IwPQ", coarse => Flat(coarse, coarse.FourCharacters("kind")));
                break;
            case "IxMp" when !mapped:
                Mapped(reader);
                break;
            default:
                throw reader.Fault($"an index of kind '{Printable(kind)}', which is not read here");
        }
    }

    private static IndexHeader Flat(FormatReader reader, string kind)
    {
        if (kind is not ("IxF2" or "IxFI"))
        {
            throw reader.Fault($"an index of kind '{Printable(kind)}' where vectors should stand");
        }

        var header = IndexHeader.Read(reader, kind);
        header.MustBeTrained(reader);
        header.MustHaveMetric(reader, innerProduct: kind == "IxFI");
        reader.LengthIs("vectors", checked(header.Count * header.Dim));
        reader.Floats(header.Count * header.Dim, "vectors");
        return header;
    }

    private static void Mapped(FormatReader reader)
    {
        var header = IndexHeader.Read(reader, "map of ids");
        Index(reader, mapped: true);
        reader.LengthIs("ids", header.Count);
        reader.Labels(header.Count, "ids");
    }

    private static void Product(FormatReader reader)
    {
        var header = IndexHeader.Read(reader, "product quantizer");
        int codeBytes = ProductCodebooks(reader, header.Dim, mostBits: 12);
        reader.LengthIs("codes", checked(header.Count * codeBytes));
        reader.Skip(header.Count, codeBytes, "codes");
        reader.Int("search type", 0, 0);
        if (reader.Bool("signs instead of codes"))
        {
            throw reader.Fault("queries coded by their signs are not read here");
        }

        reader.Int("Hamming threshold");
    }

    /// <returns>Bytes of a code.</returns>
    internal static int ProductCodebooks(FormatReader reader, int dim, int mostBits)
    {
        reader.Long("dimension of the codebooks", dim, dim);
        long parts = reader.Long("parts", 1, dim);
        if (dim % parts != 0)
        {
            throw reader.Fault($"{parts} parts do not divide dimension {dim}");
        }

        int bits = (int)reader.Long("bits of a code", 1, mostBits);
        reader.LengthIs("codebooks", (long)dim << bits);
        reader.Floats((long)dim << bits, "codebooks");
        return (int)(((parts * bits) + 7) / 8);
    }

    private static void Residual(FormatReader reader)
    {
        const int progressive = 1, refine = 2, topBeam = 1024, withoutTables = 2048;
        const long mostTabulated = 8192; // a table of all products of entries: 256 MB
        var header = IndexHeader.Read(reader, "residual quantizer");
        reader.Long("dimension of the codebooks", header.Dim, header.Dim);
        long levels = reader.Long("levels", 1, 64), entries = 0, bits = 0;
        reader.LengthIs("bits of the levels", levels);
        for (long level = 0; level < levels; level++)
        {
            long own = reader.Long("bits of a level", 1, 12);
            if (level > 0 && own * level != bits)
            {
                throw reader.Fault("levels of different sizes are not read here");
            }

            (bits, entries) = (bits + own, entries + (1L << (int)own));
        }

        bool trained = reader.Bool("trained");
        reader.LengthIs("codebooks", trained ? entries * header.Dim : 0);
        reader.Floats(trained ? entries * header.Dim : 0, "codebooks");
        reader.Int("search type", 0, 0);
        reader.Int("least norm");
        reader.Int("largest norm");
        int training = reader.Int("kind of training");
        if ((training & ~(progressive | refine | topBeam | withoutTables)) != 0 || entries > ResidualQuantizerIndex.MostEntries
            || ((training & withoutTables) == 0 && (entries > mostTabulated || !trained)))
        {
            throw reader.Fault($"kind of training {training} with {entries:N0} entries is not read here");
        }

        reader.Int("beam", 1, ResidualQuantizerIndex.MostBeam);
        header.MustBeTrained(reader, trained);
        long codeBytes = (bits + 7) / 8;
        reader.Long("bytes of a code", codeBytes, codeBytes);
        reader.LengthIs("codes", header.Count * codeBytes);
        reader.Skip(header.Count, (int)codeBytes, "codes");
    }

    private static string Printable(string text) => string.Concat(text.Select(c => c is >= ' ' and <= '~' ? c : '?'));
}
