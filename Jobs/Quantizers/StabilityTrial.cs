using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Embeddings;
using Recsys.Quantizer;
using Recsys.Quantizer.Alignment;
using Recsys.Quantizer.Audit;

namespace Recsys.Jobs.Quantizers;

/// <summary>Two nights, the later one made after the earlier and from nothing.</summary>
/// <param name="Items">Of the later night.</param>
/// <param name="NewItems">Share of them that the earlier night did not have.</param>
/// <param name="NewInteractions">The same of the interactions.</param>
/// <param name="Rows">One a way to make the later night's codes; the last is from nothing.</param>
public sealed record StabilityReport(int Items, double NewItems, double NewInteractions, IReadOnlyList<StabilityRow> Rows);

/// <param name="Name">How the later night's codes were made.</param>
/// <param name="Trained">As of <see cref="CodebookOrigin"/>.</param>
/// <param name="Tuples">Distinct ones.</param>
/// <param name="Recall">[seeds] validation recall@10 of a small generative model; empty where none was asked for.</param>
public sealed record StabilityRow(
    string Name, bool Trained, double ReconstructionError, int Tuples, ChurnAudit Churn, IReadOnlyList<double> Recall);

/// <summary>
/// Cuts a dataset by time into two nights, and measures what moves between them. Sequences hold an order but no dates: the time of an
/// interaction is its place in its user's history, from 0 to 1. New items are those with the latest mean place; new interactions are
/// theirs, and the latest of the others. Users with fewer than three earlier interactions come in with the second night, so that the
/// first has learned from no target of the second.
/// </summary>
public sealed class StabilityTrial(Dataset dataset, DefaultEmbeddingOptions encoders, QuantizerOptions options, double share)
{
    private const string Earlier = "the earlier night";

    /// <param name="seeds">Of trainings; the codes have the first.</param>
    /// <param name="retrieval">By seed, the recall of some IDs and their codebook sizes; null: left out.</param>
    public StabilityReport Run(
        IReadOnlyList<long> seeds, Func<long, CodeRetrieval>? retrieval, IProgress<StageProgress>? progress, CancellationToken cancel)
    {
        var all = dataset.Sequences;
        var (known, sequences) = Cut(all, dataset.ItemCount, share);
        EmbeddingMatrix[] first = [.. Embed(sequences, progress, cancel).Select(embedding => Rows(embedding, known))];
        string[] names = [.. known.Select(item => dataset.ItemIds[item])];
        string folder = Directory.CreateTempSubdirectory("recsys-stability").FullName;
        try
        {
            var earlier = Codes(first, names, null, seeds[0], progress, cancel);
            using (earlier.Codebook)
            {
                earlier.Codebook.Save(folder);
            }

            var table = Table(names, earlier);
            EarlierCodes After(CodebookOrigin origin) => new(Earlier, folder, table, origin);
            var second = Embed(all, progress, cancel);
            return new StabilityReport(
                dataset.ItemCount, 1 - ((double)known.Length / dataset.ItemCount),
                1 - ((double)sequences.Items.Length / all.Items.Length),
                [
                    Measure("after the earlier night", After(earlier.Origin), retrieval),
                    Measure("trained anew, numbered after it", After(earlier.Origin with { TrainedError = 0 }), null),
                    Measure("from nothing", null, retrieval),
                ]);

            StabilityRow Measure(string name, EarlierCodes? before, Func<long, CodeRetrieval>? asked)
            {
                var codes = Codes(second, dataset.ItemIds, before, seeds[0], progress, cancel);
                using var codebook = codes.Codebook;
                return new StabilityRow(
                    name, codes.Origin.Trained, codes.Report.ReconstructionError, codes.Report.DistinctCodes,
                    ChurnAudit.Of(Table(dataset.ItemIds, codes), Earlier, table),
                    asked is null ? [] : [.. seeds.Select(seed => asked(seed).Recall(codes.Ids, codebook.Sizes))]);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private CatalogueCodes Codes(
        EmbeddingMatrix[] embeddings, IReadOnlyList<string> ids, EarlierCodes? before, long seed, IProgress<StageProgress>? progress,
        CancellationToken cancel) =>
        NightlyCodes.Make(
            NightlyCodes.Fuse(embeddings, ids, before, options), ids, before, null, options, seed, progress, cancel);

    private static ItemTable Table(IReadOnlyList<string> names, CatalogueCodes codes) =>
        new(names, codes.Ids, [.. names.Select(_ => "")], codes.Codebook.Sizes);

    /// <summary>The earlier night.</summary>
    /// <returns>Its items, ascending, and its histories, in the catalogue's item numbers.</returns>
    internal static (int[] Items, SequenceSet Sequences) Cut(SequenceSet all, int items, double share)
    {
        var (sum, count) = (new double[items], new int[items]);
        var places = new double[all.Items.Length];
        for (int user = 0; user < all.Count; user++)
        {
            for (int at = all.Offsets[user]; at < all.Offsets[user + 1]; at++)
            {
                places[at] = (at - all.Offsets[user] + 0.5) / (all.Offsets[user + 1] - all.Offsets[user]);
                sum[all.Items[at]] += places[at];
                count[all.Items[at]]++;
            }
        }

        var latest = Enumerable.Range(0, items)
            .OrderByDescending(item => count[item] == 0 ? 0 : sum[item] / count[item]).ThenBy(item => item)
            .Take((int)(share * items)).ToHashSet();
        int[] order = [.. Enumerable.Range(0, places.Length).OrderByDescending(at => latest.Contains(all.Items[at]))
            .ThenByDescending(at => places[at]).ThenBy(at => at)];
        var gone = order.Take((int)(share * places.Length)).ToHashSet();
        var (users, offsets, kept) = (new List<string>(), new List<int> { 0 }, new List<int>());
        for (int user = 0; user < all.Count; user++)
        {
            int[] left = [.. Enumerable.Range(all.Offsets[user], all.Offsets[user + 1] - all.Offsets[user])
                .Where(at => !gone.Contains(at) && !latest.Contains(all.Items[at])).Select(at => all.Items[at])];
            if (left.Length >= 3)
            {
                users.Add(all.Users[user]);
                kept.AddRange(left);
                offsets.Add(kept.Count);
            }
        }

        int[] known = [.. Enumerable.Range(0, items).Where(item => !latest.Contains(item))];
        return (known, new SequenceSet([.. users], [.. offsets], [.. kept]));
    }

    private EmbeddingMatrix[] Embed(SequenceSet sequences, IProgress<StageProgress>? progress, CancellationToken cancel) =>
        DatasetVectors.Vectors(DatasetVectors.Embed(dataset, encoders, progress, cancel, new LeaveOneOut(sequences).Train));

    private static EmbeddingMatrix Rows(EmbeddingMatrix embedding, int[] items) => EmbeddingMatrix.Of(
        embedding.Name, embedding.Dim, items.Length,
        items.Index().Where(item => embedding.Present[item.Item]).Select(item => (
            item.Index, (ReadOnlyMemory<float>)embedding.Data.AsMemory(item.Item * embedding.Dim, embedding.Dim))),
        embedding.Space);
}
