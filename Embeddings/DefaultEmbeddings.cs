using System.Text;
using Recsys.Catalog;
using Recsys.Datasets;
using Recsys.Embeddings.Collaborative;
using Recsys.Embeddings.Images;
using Recsys.Embeddings.Text;

namespace Recsys.Embeddings;

/// <summary>The embeddings of a dataset: those that its owner brought, and default ones for the rest. Nothing is written into it.</summary>
public static class DefaultEmbeddings
{
    /// <param name="interactions">What the collaborative embedding learns from; null: the training part of the dataset's own.</param>
    /// <returns>text, collaborative, image, then the owner's others in ordinal order.</returns>
    /// <exception cref="CatalogException">Faulty options, models or dataset files.</exception>
    public static IReadOnlyList<DatasetEmbedding> Of(
        Dataset dataset, DefaultEmbeddingOptions options, IProgress<StageProgress>? progress, CancellationToken cancel,
        SequenceSet? interactions = null)
    {
        Faults.ThrowIfAny("Embedding options", options.Check);
        string[] names = [TextEncoder.Name, CollaborativeEmbedder.Name, ImageEncoder.Name];
        var brought = dataset.EmbeddingNames;
        if (File.Exists(Path.Combine(dataset.Path, "embeddings", "default.json")))
        {
            throw CatalogException.Precondition(
                $"'{dataset.Path}/embeddings/default.json' lists embeddings that an earlier version generated; they would pass for your "
                + "own. Delete it and the .npy files that it names: they are made in the cache now.");
        }

        var step = new Step(dataset, options, progress, cancel);
        return [.. names.Concat(brought.Except(names)).Select(name =>
        {
            cancel.ThrowIfCancellationRequested();
            return brought.Contains(name) ? new DatasetEmbedding(name, dataset.ReadEmbedding(name), Brought: true) : name switch
            {
                TextEncoder.Name => step.Text(),
                ImageEncoder.Name => step.Image(),
                _ when interactions is null && !dataset.HasSequences => new(name, null, Note: "the dataset has no sequences"),
                _ => step.Collaborative(interactions ?? new LeaveOneOut(dataset.Sequences).Train),
            };
        })];
    }

    private static DatasetEmbedding Made(EmbeddingMatrix made, bool fitted = false) => made.Present.Contains(true)
        ? new(made.Name, made) { IsFitted = fitted }
        : new(made.Name, null, Note: "no item has anything to make it from");

    private sealed class Step(
        Dataset dataset, DefaultEmbeddingOptions options, IProgress<StageProgress>? progress, CancellationToken cancel)
    {
        public DatasetEmbedding Text()
        {
            if (options.Text.IsFitted)
            {
                return Made(TfIdfEmbedder.Embed(dataset.Items, options.Text, options.Seed, cancel), fitted: true);
            }

            string[] texts = [.. dataset.Items.Select(ItemText.Of)];
            byte[]? Content(int item) => texts[item].Length == 0 ? null : Encoding.UTF8.GetBytes(texts[item]);
            return Cached(TextEncoder.Name, TextEncoder.Space(options.Text), Content, unknown =>
            {
                using var encoder = TextEncoder.Open(options.Text);
                return encoder.Encode([.. unknown.Select(item => texts[item])], Report(TextEncoder.Name, unknown.Length), cancel);
            });
        }

        public DatasetEmbedding Collaborative(SequenceSet interactions) => Made(
            CollaborativeEmbedder.Embed(interactions, dataset.ItemCount, options.Collaborative, options.Seed, cancel), fitted: true);

        public DatasetEmbedding Image()
        {
            if (dataset.Images is not { } images)
            {
                return new(ImageEncoder.Name, null, Note: "the dataset has no pictures");
            }

            var unreadable = new SortedDictionary<int, string>();
            DatasetEmbedding made;
            if (options.Image.IsFitted)
            {
                made = Made(
                    PcaEmbedder.Embed(images, dataset.ItemCount, options.Image, options.Seed, Unreadable, cancel), fitted: true);
            }
            else
            {
                made = Cached(ImageEncoder.Name, ImageEncoder.Space(options.Image), images.Read, unknown =>
                {
                    using var encoder = ImageEncoder.Open(options.Image);
                    return encoder.Encode(
                        i => images.Read(unknown[i]), unknown.Length, (i, why) => Unreadable(unknown[i], why),
                        Report(ImageEncoder.Name, unknown.Length), cancel);
                });
            }

            return made with
            {
                Unreadable = unreadable.Count,
                FirstUnreadable = [.. unreadable.Take(10).Select(picture => $"item '{dataset.ItemIds[picture.Key]}': {picture.Value}")],
            };

            void Unreadable(int item, string why) => unreadable[item] = why;
        }

        private Action<int> Report(string name, int total) => done => progress?.Report(new StageProgress("embed " + name, done, total));

        // Vectors by content: those the cache knows, the others encoded and remembered.
        private DatasetEmbedding Cached(string name, string space, Func<int, byte[]?> content, Func<int[], float[]?[]> encode)
        {
            UInt128?[] keys = [.. Enumerable.Range(0, dataset.ItemCount)
                .Select(item => content(item) is { } bytes ? EmbeddingCache.KeyOf(bytes) : (UInt128?)null)];
            var cache = new EmbeddingCache(options.Cache);
            var known = cache.Read(space, dataset.Path);
            int[] unknown = [.. Enumerable.Range(0, keys.Length).Where(item => keys[item] is { } key && !known.ContainsKey(key))];
            if (unknown.Length > 0)
            {
                foreach (var (item, vector) in unknown.Zip(encode(unknown)))
                {
                    if (vector is not null)
                    {
                        known[keys[item]!.Value] = vector;
                    }
                }
            }

            int dim = known.Count == 0 ? 1 : known.Values.First().Length;
            var vectors = keys.Index().Where(key => key.Item is { } hash && known.ContainsKey(hash))
                .Select(key => (key.Index, (ReadOnlyMemory<float>)known[key.Item!.Value]));
            var held = keys.OfType<UInt128>().Distinct().Where(known.ContainsKey).ToDictionary(key => key, key => known[key]);
            string? note = held.Count == known.Count && unknown.Length == 0 ? null : cache.Write(space, dataset.Path, held);
            var made = Made(EmbeddingMatrix.Of(name, dim, keys.Length, vectors, space));
            return made with { Note = made.Note ?? note };
        }
    }
}
