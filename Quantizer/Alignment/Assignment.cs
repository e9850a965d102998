using Recsys.Catalog;
using Recsys.Quantizer.Encoding;

namespace Recsys.Quantizer.Alignment;

/// <summary>Codes for a catalogue of which some items have codes already: they keep them where the nearest are hardly better.</summary>
internal sealed class Assignment
{
    /// <param name="earlier">[items] the IDs that items have; null: none. Becomes <see cref="Kept"/>.</param>
    /// <param name="keep">As of <see cref="StabilityOptions.Keep"/>.</param>
    public Assignment(Codebook codebook, FusedEmbeddings fused, SemanticId?[] earlier, double keep)
    {
        int levels = codebook.Levels;
        ushort[] nearest = codebook.Encode(fused.Data, fused.Count);
        (Codes, Kept) = ([.. nearest], earlier);
        for (int item = 0; item < fused.Count; item++)
        {
            earlier[item]?.CopyCodes(Codes.AsSpan(item * levels, levels));
        }

        float[] reconstruction = codebook.Reconstruct(nearest, fused.Count);
        double[] least = Errors(fused, reconstruction), kept = Errors(fused, codebook.Reconstruct(Codes, fused.Count));
        double slack = keep * least.Average();
        for (int item = 0; item < fused.Count; item++)
        {
            if (earlier[item] is not null && kept[item] > least[item] + slack)
            {
                earlier[item] = null;
                nearest.AsSpan(item * levels, levels).CopyTo(Codes.AsSpan(item * levels));
            }
        }

        Error = QuantizerReport.RelativeError(fused.Data, reconstruction, fused.Count);
    }

    /// <summary>[items × levels]</summary>
    public ushort[] Codes { get; }

    /// <summary>[items] the IDs that stay; null: the item is new, or has moved.</summary>
    public SemanticId?[] Kept { get; }

    /// <summary>The reconstruction error of the nearest codes, as of <see cref="QuantizerReport"/>.</summary>
    public double Error { get; }

    /// <returns>[items] squared distances.</returns>
    private static double[] Errors(FusedEmbeddings fused, float[] reconstruction) =>
        [.. Enumerable.Range(0, fused.Count).Select(item =>
        {
            double sum = 0;
            for (int i = item * fused.Dim; i < (item + 1) * fused.Dim; i++)
            {
                double left = fused.Data[i] - reconstruction[i];
                sum += left * left;
            }

            return sum;
        })];
}
