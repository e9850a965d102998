namespace Recsys.Faiss.Files;

/// <summary>What every index of FAISS's format begins with.</summary>
internal readonly record struct IndexHeader(string Kind, int Dim, long Count, bool Trained, bool InnerProduct)
{
    private const long MostVectors = 1L << 40;

    public static IndexHeader Read(FormatReader reader, string kind)
    {
        int dim = reader.Int($"dimension of {kind}", 1, VectorIndex.MostDimensions);
        long count = reader.Long($"count of {kind}", 0, MostVectors);
        reader.Skip(2, sizeof(long), "reserved words");
        bool trained = reader.Bool($"trained flag of {kind}");
        int metric = reader.Int($"metric of {kind}", 0, 1);
        if (!trained && count > 0)
        {
            throw reader.Fault($"{count} vectors in {kind}, which is not trained");
        }

        return new IndexHeader(kind, dim, count, trained, InnerProduct: metric == 0);
    }

    public void MustBeTrained(FormatReader reader, bool trained = true)
    {
        if (Trained != trained)
        {
            throw reader.Fault($"{Kind} says that it is {(Trained ? "" : "not ")}trained, which it cannot be");
        }
    }

    public void MustHaveMetric(FormatReader reader, bool innerProduct)
    {
        if (InnerProduct != innerProduct)
        {
            throw reader.Fault($"the metric of {Kind} is another one than its kind or its owner says");
        }
    }

    /// <summary>A part of this index: same dimension, same metric.</summary>
    public void MustHold(FormatReader reader, IndexHeader part, long count)
    {
        part.MustHaveMetric(reader, InnerProduct);
        if (part.Dim != Dim || part.Count != count)
        {
            throw reader.Fault($"{Kind} needs {count} vectors of dimension {Dim} inside but has {part.Count} of {part.Dim}");
        }
    }
}
