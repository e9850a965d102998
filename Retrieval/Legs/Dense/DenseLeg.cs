using Recsys.Retrieval.Models;
using Recsys.Retrieval.Training;
using Recsys.Torch.Kernels;

namespace Recsys.Retrieval.Legs.Dense;

/// <summary>
/// Ranks by vectors: the state of a <see cref="SequenceEncoder"/> behind a history times each item's vector, as log-probabilities over the
/// trained items. Two legs are of this kind: <see cref="Id"/> with learned vectors beside those projected from the items' embeddings,
/// and <see cref="Content"/> with the latter alone, which ranks items that training never saw.
/// </summary>
public sealed class DenseLeg : ILeg
{
    /// <summary>The legs' names.</summary>
    public const string Id = "id", Content = "content";

    private const string VectorsKey = "vectors", EncoderPrefix = "encoder.";

    private readonly SequenceEncoder _encoder;
    private readonly Tensor _vectors; // [items + 1, dim], the last row zero
    private readonly PackedTrunk? _packed; // null: TorchSharp's operators answer

    /// <param name="encoder">Becomes this leg's to dispose.</param>
    /// <param name="vectors">[items + 1, dim], the last row zero; becomes this leg's too.</param>
    internal DenseLeg(DenseConfig config, SequenceEncoder encoder, Tensor vectors, bool packed = true)
    {
        (Config, _encoder, _vectors) = (config, encoder, vectors);
        encoder.eval();
        _packed = packed && vectors.device.type == DeviceType.CPU ? encoder.Pack() : null;
    }

    public string Name => Config.Name;

    public DenseConfig Config { get; }

    public Tensor Scores(IReadOnlyList<IReadOnlyList<int>> histories)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        if (_packed is not null)
        {
            var (items, starts) = Slots(histories, Config.Options.History, Config.Items);
            var slots = _vectors.index_select(0, tensor(items)); // [slots, dim]
            var ranked = _vectors.narrow(0, 0, Config.Items);
            return ItemScores.LogProbabilities(_packed.Read(PackedTrunk.Values(slots), starts), ranked).MoveToOuterDisposeScope();
        }

        var logits = Logits(_encoder, _vectors, Config.Options.History)(histories);
        return functional.log_softmax(logits, -1).cpu().MoveToOuterDisposeScope();
    }

    /// <summary>The cosine of an item's vector with every item's.</summary>
    /// <param name="item">One of the trained items.</param>
    /// <returns>[items]</returns>
    public float[] Cosines(int item)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var all = _vectors.narrow(0, 0, Config.Items);
        return functional.cosine_similarity(all, all[item].unsqueeze(0), 1, 1e-8).cpu().data<float>().ToArray();
    }

    /// <summary>Scores before the softmax.</summary>
    /// <param name="vectors">[items + 1, dim], the last row zero.</param>
    /// <returns>[rows, items] of histories.</returns>
    internal static Func<IReadOnlyList<IReadOnlyList<int>>, Tensor> Logits(SequenceEncoder encoder, Tensor vectors, int history) =>
        histories => matmul(
            States(encoder, vectors, histories, history), vectors.narrow(0, 0, vectors.size(0) - 1).transpose(0, 1));

    /// <summary>What an encoder makes of histories, which are read side by side without padding.</summary>
    /// <param name="vectors">[items + 1, dim], the last row zero.</param>
    /// <returns>[rows, dim]</returns>
    private static Tensor States(SequenceEncoder encoder, Tensor vectors, IReadOnlyList<IReadOnlyList<int>> histories, int history)
    {
        var (items, starts) = Slots(histories, history, (int)vectors.size(0) - 1);
        Tensor On(IEnumerable<long> values) => tensor(values.ToArray(), device: vectors.device);
        var states = encoder.Forward(
            vectors.index_select(0, On(items)), On(PackedTrunk.Places(starts)),
            tensor(starts.Select(start => (long)start).ToArray()), null);
        return states.index_select(0, On(starts.Skip(1).Select(end => end - 1L))); // [rows, dim]
    }

    /// <summary>What is read of histories, end to end.</summary>
    /// <param name="none">What stands for no item: the beginning, as in training, and items that the leg does not know.</param>
    /// <returns>[slots] items, and [histories + 1] where each starts.</returns>
    private static (long[] Items, List<int> Starts) Slots(IReadOnlyList<IReadOnlyList<int>> histories, int history, int none)
    {
        var (items, starts) = (new List<long>(), new List<int> { 0 });
        foreach (var all in histories)
        {
            items.Add(none);
            items.AddRange(all.Skip(all.Count - history).Select(item => (long)Math.Min(item, none)));
            starts.Add(items.Count);
        }

        return ([.. items], starts);
    }

    /// <summary>Reads what comes before the slots of a batch.</summary>
    /// <param name="slots">[n] each with an item before it, at most <see cref="LegOptions.History"/> of them.</param>
    /// <param name="items">[candidates]</param>
    /// <returns>[n, dim] states, and [candidates, dim] vectors; their products are the scores before the softmax.</returns>
    internal (Tensor States, Tensor Vectors) Read(PackedBatch batch, int[] slots, int[] items)
    {
        long none = _vectors.size(0) - 1;
        Tensor On(int[] values) => tensor(Array.ConvertAll(values, value => (long)value), device: _vectors.device);
        var previous = _vectors.index_select(0, On(Array.ConvertAll(batch.Previous, item => item < 0 ? (int)none : item)));
        var states = _encoder.Forward(
            previous, On(batch.Positions), tensor(Array.ConvertAll(batch.Starts, start => (long)start)), null);
        return (states.index_select(0, On(slots)), _vectors.index_select(0, On(items)));
    }

    public void Save(string folder)
    {
        using var scope = NewDisposeScope();
        var state = _encoder.state_dict().ToDictionary(pair => EncoderPrefix + pair.Key, pair => pair.Value);
        state[VectorsKey] = _vectors;
        ModelFiles.Save(folder, Config, state, Json.Files);
    }

    /// <param name="device">Where it computes: cpu, cuda or cuda:N.</param>
    /// <exception cref="CatalogException">DataLoss: a file is missing, damaged or does not fit the other.</exception>
    public static DenseLeg Load(string folder, string device = "cpu", bool packed = true)
    {
        var place = Devices.Of(device);
        return ModelFiles.Load<DenseConfig, DenseLeg>(
            folder, Json.Files, config => Faults.Of(config.Check), CatalogException.Damaged, (config, state) =>
            {
                var vectors = state.Take(VectorsKey, ScalarType.Float32, config.Items + 1, config.Options.Dim);
                if (state.Keys.FirstOrDefault(key => !key.StartsWith(EncoderPrefix, StringComparison.Ordinal)) is { } unknown)
                {
                    throw new TorchException($"'{unknown}' is unknown.");
                }

                using var generator = new Generator(0); // the weights come from the file
                var encoder = new SequenceEncoder(config.Options, generator).With(
                    state.ToDictionary(pair => pair.Key[EncoderPrefix.Length..], pair => pair.Value));
                encoder.MoveTo(place);
                return new DenseLeg(config, encoder, vectors.to(place).DetachFromDisposeScope(), packed);
            });
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _packed?.Dispose();
        _vectors.Dispose();
    }
}

/// <summary>Everything but the tensors that a saved leg needs.</summary>
/// <param name="Format">Raised when the meaning of the files changes.</param>
/// <param name="Name"><see cref="DenseLeg.Id"/> or <see cref="DenseLeg.Content"/>.</param>
/// <param name="Options">Shape and recipe.</param>
/// <param name="Items">Items with a vector; those appended later have none.</param>
public sealed record DenseConfig(int Format, string Name, DenseOptions Options, int Items)
{
    public const int CurrentFormat = 1;

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        faults.Check(Format == CurrentFormat, "format", Format, $"{CurrentFormat}");
        faults.Check(Name is DenseLeg.Id or DenseLeg.Content, "name", Name, $"{DenseLeg.Id}, {DenseLeg.Content}");
        Options.Check(faults, Name);
        faults.Range("items", Items, 1, int.MaxValue - 1);
    }
}
