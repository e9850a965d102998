using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Embeddings.Collaborative;
using Recsys.Embeddings.Images;
using Recsys.Embeddings.Text;

namespace Recsys.Embeddings;

/// <summary>What became of one default embedding.</summary>
/// <param name="Items">Items that have a vector.</param>
/// <param name="Note">Why it was not written, or what was left out; null when nothing is to be said.</param>
public sealed record DefaultEmbeddingOutcome(string Name, bool Written, int Dim, int Items, string? Note = null);

/// <summary>Makes the embeddings that a dataset's owner did not bring.</summary>
public static class DefaultEmbeddings
{
    /// <summary>
    /// Writes <c>embeddings/{text,collaborative,image}.npy</c> as far as the dataset has items' text, sequences and pictures. Files
    /// that the owner brought stay as they are; those of an earlier run are made anew. Each file is there in full or not at all.
    /// </summary>
    /// <exception cref="CatalogException">Faulty options or dataset files.</exception>
    public static IReadOnlyList<DefaultEmbeddingOutcome> Write(
        Dataset dataset, DefaultEmbeddingOptions options, IProgress<StageProgress>? progress, CancellationToken cancel)
    {
        Faults.ThrowIfAny("Embedding options", options.Check);
        var split = dataset.HasSequences ? new LeaveOneOut(dataset.Sequences) : null;
        var marker = DefaultEmbeddingMarker.Read(dataset.Path) with { Seed = options.Seed, SplitSha256 = split?.Sha256, FitAll = options.FitAll, Options = options };
        var notes = new Dictionary<string, string>();
        var steps = new (string Name, string? Absent, Func<EmbeddingMatrix> Make)[]
        {
            (TextEmbedder.Name, null, () => TextEmbedder.Embed(dataset.Items, options.Text, options.Seed, cancel)),
            (CollaborativeEmbedder.Name, split is null ? "the dataset has no sequences" : null, () => CollaborativeEmbedder.Embed(
                options.FitAll ? split!.All : split!.Train, dataset.ItemCount, options.Collaborative, options.Seed, cancel)),
            (
                ImageEmbedder.Name, dataset.Images is null ? "the dataset has no pictures" : null,
                () => Images(dataset, options, notes, cancel)),
        };

        var outcomes = new List<DefaultEmbeddingOutcome>();
        foreach (var (name, absent, make) in steps)
        {
            cancel.ThrowIfCancellationRequested();
            progress?.Report(new StageProgress("embed", outcomes.Count, steps.Length, name));
            outcomes.Add(absent is not null ? new(name, false, 0, 0, absent) : WriteOne(dataset, name, make, notes, ref marker));
        }

        progress?.Report(new StageProgress("embed", steps.Length, steps.Length));
        return outcomes;
    }

    private static DefaultEmbeddingOutcome WriteOne(
        Dataset dataset, string name, Func<EmbeddingMatrix> make, Dictionary<string, string> notes, ref DefaultEmbeddingMarker marker)
    {
        if (!marker.MayWrite(dataset.Path, name))
        {
            marker = marker.Without(name);
            return new(name, false, 0, 0, "the dataset brings its own; left as it is");
        }

        var embedding = make();
        int items = embedding.Present.Count(present => present);
        if (items == 0)
        {
            return new(name, false, 0, 0, "no item has anything to make it from");
        }

        // Noted before it exists: a run that dies in between leaves a file that the next run knows to be generated.
        marker = marker.With(name, null);
        marker.Write(dataset.Path);
        dataset.WriteEmbedding(embedding);
        marker = marker.With(name, DefaultEmbeddingMarker.Hash(dataset.Path, name));
        marker.Write(dataset.Path);
        return new(name, true, embedding.Dim, items, notes.GetValueOrDefault(name));
    }

    private static EmbeddingMatrix Images(
        Dataset dataset, DefaultEmbeddingOptions options, Dictionary<string, string> notes, CancellationToken cancel)
    {
        var unreadable = new List<string>();
        var embedding = ImageEmbedder.Embed(
            dataset.Images!, dataset.ItemCount, options.Image, options.Seed,
            (item, why) => unreadable.Add($"item '{dataset.ItemIds[item]}': {why}"), cancel);
        if (unreadable.Count > 0)
        {
            notes[ImageEmbedder.Name] = $"{unreadable.Count} pictures cannot be read; the first, of {unreadable[0]}";
        }

        return embedding;
    }
}
