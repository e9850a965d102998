using System.Security.Cryptography;
using System.Text;
using Recsys.Catalog;
using Recsys.Catalog.Ports;

namespace Recsys.Datasets;

/// <summary>
/// A dataset folder: <c>dataset.json</c> beside <c>sequences.txt</c> or <c>interactions.csv</c>, <c>events.jsonl</c>, <c>items.tsv</c> or
/// <c>items.jsonl</c>, <c>embeddings/NAME.npy</c>, <c>images.zip</c> or <c>images/</c>; everything but <c>dataset.json</c> and
/// one of items and interactions may be absent. Opening reads ids only; the rest is read when asked for. Safe from any thread.
/// </summary>
public sealed class Dataset : IDisposable
{
    private readonly OrderedDictionary<string, int> _ids;
    private readonly string? _itemFile;
    private readonly Lazy<IReadOnlyList<Item>> _items;
    private readonly Lazy<(SequenceSet Set, long UnknownDropped)> _sequences;
    private readonly Lazy<(DateTimeOffset? Until, IReadOnlyList<Interaction> Interactions)> _events;
    private readonly Lazy<string> _sha256;
    private readonly Lazy<IImageSource?> _images;

    private readonly bool _dropUnknown;

    private Dataset(string path, DatasetDescription description, bool dropUnknown)
    {
        (Path, Description, _dropUnknown) = (path, description, dropUnknown);
        _itemFile = ItemFile.Locate(path);
        string? interactions = SequenceFile.Locate(path);
        if (_itemFile is null && interactions is null)
        {
            throw CatalogException.Invalid(
                $"Dataset '{path}' has neither {ItemFile.Tsv}, {ItemFile.Jsonl}, {SequenceFile.Text} nor {SequenceFile.Csv}; "
                + "it needs one of them to know its items.");
        }

        _ids = _itemFile is null ? new(StringComparer.Ordinal) : ItemFile.ReadIds(_itemFile, description.ItemIdColumn);
        var unknown = _itemFile is null ? UnknownItems.Added : dropUnknown ? UnknownItems.Dropped : UnknownItems.Refused;
        _events = new(() => EventFile.Read(path));
        _sequences = new Lazy<(SequenceSet, long)>(() =>
        {
            var (set, dropped, newest) = interactions is null
                ? (new SequenceSet([], [0], []), 0, null)
                : SequenceFile.Read(interactions, _ids, unknown);
            if (_events.Value.Interactions.Count == 0)
            {
                return (set, dropped);
            }

            var (all, others) = EventFile.Behind(set, _events.Value.Interactions, newest, _ids, added: unknown == UnknownItems.Added);
            return (all, dropped + others);
        });
        if (_itemFile is null)
        {
            _ = _sequences.Value; // names the items
        }

        _items = new Lazy<IReadOnlyList<Item>>(() => [.. ReadItems()]);
        _images = new Lazy<IImageSource?>(() => ImageFiles.Locate(path) is { } images
            ? new ImageFiles(images, ReadItems().Select(item => (item.Id, item.Image))) : null);
        _sha256 = new Lazy<string>(Hash);
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    public DatasetDescription Description { get; }

    public string Name => Description.Name;

    public int ItemCount => _ids.Count;

    /// <summary>[items] in the order of the items file; without one, in the order of their first interaction.</summary>
    public IReadOnlyList<string> ItemIds => _ids.Keys;

    /// <summary>Item id → index.</summary>
    public IReadOnlyDictionary<string, int> ItemIndex => _ids;

    /// <summary>[items], all in memory; large catalogues use <see cref="ReadItems"/>.</summary>
    public IReadOnlyList<Item> Items => _items.Value;

    /// <summary>Histories as item indexes; empty where the dataset has none.</summary>
    /// <exception cref="CatalogException">Every faulty line.</exception>
    public SequenceSet Sequences => _sequences.Value.Set;

    /// <summary>Interactions that were dropped because the items file lacks their item; reads the histories.</summary>
    public long UnknownDropped => _sequences.Value.UnknownDropped;

    public bool HasSequences => SequenceFile.Locate(Path) is not null || File.Exists(System.IO.Path.Combine(Path, EventFile.Name));

    /// <summary>Until when servers were told of the interactions that came by events; null: none were asked for.</summary>
    public DateTimeOffset? EventsUntil => _events.Value.Until;

    /// <summary>Users of interactions that came by events.</summary>
    public IReadOnlySet<string> EventUsers => _events.Value.Interactions.Select(one => one.UserId).ToHashSet(StringComparer.Ordinal);

    /// <summary>In ordinal order.</summary>
    public IReadOnlyList<string> EmbeddingNames => EmbeddingFile.Names(Path);

    /// <summary>The items' pictures; null where the dataset has none.</summary>
    public IImageSource? Images => _images.Value;

    /// <summary>
    /// SHA-256 (lower-case hex) over names and content of all the files named above, embeddings included; read from disk once, at
    /// the first call. Other files in the folder do not count.
    /// </summary>
    public string Sha256 => _sha256.Value;

    /// <param name="path">The folder.</param>
    /// <param name="dropUnknown">
    /// Whether interactions with items that are not in the items file (delisted ones, say) are dropped and counted, not refused.
    /// </param>
    /// <exception cref="CatalogException">NotFound; InvalidArgument with every fault in dataset.json and the items file.</exception>
    public static Dataset Open(string path, bool dropUnknown = false) =>
        new(System.IO.Path.GetFullPath(path), DatasetDescription.Read(path), dropUnknown);

    /// <summary>Items one at a time, in the order of <see cref="ItemIds"/>.</summary>
    public IEnumerable<Item> ReadItems() => _itemFile is null
        ? _ids.Keys.Select(id => new Item(id, "", new Dictionary<string, string>(), null))
        : ItemFile.Read(_itemFile, (Description.ItemIdColumn, null, null));

    /// <summary>A brought embedding, [items × dim].</summary>
    /// <exception cref="CatalogException">NotFound with the names there are; rows that fit no item; values that are not finite.</exception>
    public EmbeddingMatrix ReadEmbedding(string name)
    {
        if (!EmbeddingNames.Contains(name))
        {
            throw CatalogException.NotFound(
                $"Dataset '{Name}' has no embedding '{name}'; it has: "
                + $"{(EmbeddingNames.Count == 0 ? "none" : string.Join(", ", EmbeddingNames))}. "
                + $"Add {EmbeddingFile.Folder}/{name}.npy.");
        }

        return EmbeddingFile.Read(EmbeddingFile.PathOf(Path, name), name, _ids, _dropUnknown);
    }

    /// <summary>Writes an embedding into a folder, in the form of a brought one; one of its name is replaced.</summary>
    public void WriteEmbedding(EmbeddingMatrix embedding, string folder)
    {
        if (embedding.Count != ItemCount || !SafeName.IsValid(embedding.Name))
        {
            throw CatalogException.Invalid(
                $"Embedding '{embedding.Name}' has {embedding.Count} rows; dataset '{Name}' has {ItemCount} items. "
                + "Names are 1 to 100 letters, digits, '.', '-' or '_'.");
        }

        EmbeddingFile.Write(folder, embedding, ItemIds);
    }

    private string Hash()
    {
        string[] roots =
        [
            DatasetDescription.FileName, ItemFile.Tsv, ItemFile.Jsonl, SequenceFile.Text, SequenceFile.Csv, EventFile.Name, ImageFiles.Zip,
        ];
        var files = roots.Where(file => File.Exists(System.IO.Path.Combine(Path, file)))
            .Concat(new[] { ImageFiles.Folder, EmbeddingFile.Folder }
                .Select(folder => System.IO.Path.Combine(Path, folder)).Where(Directory.Exists)
                .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
                .Select(file => System.IO.Path.GetRelativePath(Path, file).Replace('\\', '/')))
            .Where(file => !file.EndsWith(".tmp", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in files)
        {
            using var stream = File.OpenRead(System.IO.Path.Combine(Path, file));
            sha.AppendData(Encoding.UTF8.GetBytes($"{file}\n{stream.Length}\n"));
            sha.AppendData(SHA256.HashData(stream));
        }

        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }

    public void Dispose()
    {
        if (_images.IsValueCreated)
        {
            _images.Value?.Dispose();
        }
    }
}
