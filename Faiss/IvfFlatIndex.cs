using Recsys.Faiss.Native;

namespace Recsys.Faiss;

/// <summary>Approximate search in inverted lists: k-means makes NList cells, a query looks into the NProbe nearest. Train first.</summary>
public sealed class IvfFlatIndex : VectorIndex
{
    /// <param name="nlist">Cells; about √n to 4·√n are usual.</param>
    public IvfFlatIndex(int dim, Metric metric, int nlist)
        : base(Create(dim, metric, nlist))
    {
    }

    internal IvfFlatIndex(IndexHandle handle)
        : base(handle)
    {
    }

    public int NList => (int)Info.Size;

    public bool IsTrained => Info.Trained != 0;

    /// <summary>Cells that a query looks into, 1 to NList; all of them make the search exact.</summary>
    public int NProbe
    {
        get => (int)Info.Breadth;
        set
        {
            Rows.Range("IVF: nprobe", value, 1, NList, "more cells find more and take longer");
            SetBreadth(value);
        }
    }

    /// <summary>Finds the cells from rows [n, dim], n at least NList.</summary>
    public void Train(ReadOnlySpan<float> data, int seed = 1234)
    {
        if (IsTrained)
        {
            throw FaissException.Fault("IVF: training", "it is trained already", "make a new index"); // FAISS would keep the old cells
        }

        TrainOn(data, seed, NList);
    }

    private static IndexHandle Create(int dim, Metric metric, int nlist)
    {
        Rows.Range("IVF: nlist", nlist, 1, 1 << 20, "about 4·√n are usual");
        return New(IndexKind.IvfFlat, dim, metric, nlist);
    }
}
