using Recsys.Catalog;

namespace Recsys.Embeddings.Factorisation;

/// <summary>Item vectors from a factorisation of an item × feature matrix.</summary>
internal static class ItemVectors
{
    /// <summary>Rows of U·Sᵖ at unit length; an item whose row is (numerically) zero has none.</summary>
    /// <param name="power">1: U·S, as in latent semantic analysis; ½: the usual choice for co-occurrence (Levy, Goldberg and Dagan
    /// 2015).</param>
    public static EmbeddingMatrix Normalised(string name, TruncatedSvd svd, double power, Func<int, bool> has)
    {
        int count = svd.U.Length / svd.Rank;
        var weights = svd.S.Select(s => s == 0 ? 0 : Math.Pow(s, power)).ToArray();
        var (data, present) = (new float[svd.U.Length], new bool[count]);
        double floor = 1e-7 * weights.DefaultIfEmpty(0).Max();
        for (int item = 0; item < count; item++)
        {
            double squared = 0;
            for (int k = 0; k < svd.Rank; k++)
            {
                double value = svd.U[(item * svd.Rank) + k] * weights[k];
                squared += value * value;
            }

            double norm = Math.Sqrt(squared);
            present[item] = has(item) && norm > floor;
            for (int k = 0; k < svd.Rank && present[item]; k++)
            {
                data[(item * svd.Rank) + k] = (float)(svd.U[(item * svd.Rank) + k] * weights[k] / norm);
            }
        }

        return new EmbeddingMatrix(name, svd.Rank, data, present);
    }

    /// <summary>An embedding that no item has.</summary>
    public static EmbeddingMatrix None(string name, int items, int dim) => new(name, dim, new float[items * dim], new bool[items]);
}
