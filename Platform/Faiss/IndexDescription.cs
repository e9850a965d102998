using System.Globalization;
using System.Text.RegularExpressions;

namespace Recsys.Faiss;

/// <summary>FAISS's factory strings, as far as there is a type for them here.</summary>
internal static partial class IndexDescription
{
    /// <exception cref="FaissException">Another string, or a number out of its range.</exception>
    public static VectorIndex Parse(string description, int dim, Metric metric)
    {
        var match = Pattern().Match(description);
        int Number(string group, int otherwise) => !match.Groups[group].Success ? otherwise
            : int.TryParse(match.Groups[group].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value
            : throw new FaissException($"index '{description}': {match.Groups[group].Value} is too large a number");
        if (!match.Success)
        {
            throw new FaissException($"index '{description}': known are Flat, PQ<parts>[x<bits>], RQ<levels>x<bits>, IVF<lists>,Flat, IVF<lists>,PQ<parts>[x<bits>] and HNSW<links>");
        }

        int lists = Number("lists", 0), bits = Number("bits", 8);
        if (match.Groups["pq"].Success)
        {
            int parts = Number("pq", 0);
            return lists > 0 || match.Groups["lists"].Success
                ? new IvfPqIndex(dim, lists, parts, bits, metric)
                : new ProductQuantizerIndex(dim, parts, bits, metric);
        }

        return match.Groups["lists"].Success ? new IvfFlatIndex(dim, lists, metric)
            : match.Groups["rq"].Success ? new ResidualQuantizerIndex(dim, Number("rq", 0), Number("rqbits", 8), metric: metric)
            : match.Groups["links"].Success ? new HnswIndex(dim, Number("links", 0), metric: metric)
            : new FlatIndex(dim, metric);
    }

    [GeneratedRegex(@"^(?:(?:IVF(?<lists>[0-9]+),)?(?:Flat|PQ(?<pq>[0-9]+)(?:x(?<bits>[0-9]+))?)|RQ(?<rq>[0-9]+)x(?<rqbits>[0-9]+)|HNSW(?<links>[0-9]+)(?:,Flat)?)\z")]
    private static partial Regex Pattern();
}
