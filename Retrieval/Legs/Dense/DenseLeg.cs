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

    /// <summary>Vectors that are widened to float32 at once.</summary>
    private const int Block = 1 << 16;

    private readonly SequenceEncoder _encoder;
    private readonly ContentProjection? _projection;
    private readonly PackedTrunk? _packed; // null: TorchSharp's operators answer
    private readonly OperatorUse _use;
    private readonly Lazy<Tensor> _inverseNorms;
    private readonly Lazy<float[]> _first; // [dim] the first item's vector
    private readonly Lazy<double> _longest; // length of the longest vector

    /// <param name="encoder">Becomes this leg's to dispose.</param>
    /// <param name="vectors">[items + 1, dim], the last row zero; becomes this leg's too. With lists they are rounded to bf16.</param>
    /// <param name="projection">How new items come to vectors; null: they have none.</param>
    /// <param name="lists">Of the vectors; null: answers look at all of them.</param>
    /// <param name="use">Of operators; null: by the device and the arithmetic.</param>
    internal DenseLeg(
        DenseConfig config, SequenceEncoder encoder, Tensor vectors, ContentProjection? projection = null,
        Arithmetic arithmetic = Arithmetic.Float32, VectorLists? lists = null, OperatorUse? use = null)
    {
        (Config, _encoder, _projection, Lists) = (config, encoder, projection, lists);
        encoder.eval();
        _packed = arithmetic != Arithmetic.Operators && vectors.device.type == DeviceType.CPU
            ? encoder.Pack(arithmetic == Arithmetic.BFloat16)
            : null;
        _use = use ?? OperatorUse.Of(vectors.device, arithmetic);
        Vectors = lists is null ? vectors : Rounded(vectors, _packed is not null);
        _inverseNorms = new(() =>
        {
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            var squares = Ranked.split(Block).Select(some => some.to(ScalarType.Float32).square().sum(dim: 1));
            return cat([.. squares]).clamp_min(1e-16).rsqrt().DetachFromDisposeScope();
        });
        _longest = new(() => 1 / InverseNorms.min().item<float>());
        _first = new(() => PackedTrunk.Values(Vectors[0].to(ScalarType.Float32).cpu()));
    }

    public string Name => Config.Name;

    public DenseConfig Config { get; }

    public int History => Config.Options.History;

    /// <summary>[items + 1, dim], the last row zero; float32, and where answers go through lists bf16.</summary>
    internal Tensor Vectors { get; }

    /// <summary>[items] one over the length of each item's vector.</summary>
    internal Tensor InverseNorms => _inverseNorms.Value;

    internal VectorLists? Lists { get; }

    bool ILeg.Searches => Lists is not null && _packed is not null;

    private Tensor Ranked => Vectors.narrow(0, 0, Config.Items);

    public Tensor Scores(
        IReadOnlyList<IReadOnlyList<int>> histories, NewItems? fresh = null, IReadOnlyList<IReadOnlyList<double>?>? weights = null)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var (items, starts) = Slots(histories, Config.Options.History, _packed is null && _use.FixedShapes);
        var slots = (fresh ?? NewItems.None).Select(Vectors, items, Name); // [slots, dim]
        Tensor known; // [rows, items]
        float[] states; // [rows × dim]
        if (_packed is not null)
        {
            states = _packed.Read(PackedTrunk.Values(slots), starts);
            known = ItemScores.LogProbabilities(states, Ranked);
        }
        else
        {
            using var narrow = _use.Scope();
            int rows = histories.Count, laid = _use.FixedShapes ? FixedShapes.Size(rows) : rows;
            var read = States(_encoder, slots, starts).narrow(0, 0, laid).to(ScalarType.Float32);
            states = PackedTrunk.Values(read.narrow(0, 0, rows).cpu());
            known = functional.log_softmax(matmul(read, Ranked.transpose(0, 1)), -1).narrow(0, 0, rows).cpu();
        }

        return (fresh is { Count: > 0 } ? cat([known, Fresh(known, states, fresh)], 1) : known).MoveToOuterDisposeScope();
    }

    ILegScores[] ILeg.Search(
        IReadOnlyList<IReadOnlyList<int>> histories, NewItems? fresh, IReadOnlyList<IReadOnlyList<double>?>? weights)
    {
        if (Lists is null || _packed is null)
        {
            return FullScores.Of(Scores(histories, fresh, weights));
        }

        var (items, starts) = Slots(histories, Config.Options.History);
        using var slots = (fresh ?? NewItems.None).Select(Vectors, items, Name); // [slots, dim]
        float[] states = _packed.Read(PackedTrunk.Values(slots), starts);
        int dim = Config.Options.Dim;
        return [.. Enumerable.Range(0, histories.Count).Select(
            row => new ListedScores(states[(row * dim)..((row + 1) * dim)], Vectors, Lists, fresh ?? NewItems.None, Name))];
    }

    /// <summary>Beside the trained items, whose probabilities stay as they are: a fresh item's is on their scale.</summary>
    /// <param name="known">[rows, items]</param>
    /// <param name="states">[rows × dim]</param>
    /// <returns>[rows, fresh items]</returns>
    private Tensor Fresh(Tensor known, float[] states, NewItems fresh)
    {
        int rows = (int)known.size(0), dim = Config.Options.Dim;
        float[] of = PackedTrunk.Values(known.narrow(1, 0, 1).contiguous());
        var scores = new float[rows * fresh.Count];
        for (int row = 0; row < rows; row++)
        {
            var state = states.AsSpan(row * dim, dim);
            float partition = TensorPrimitives.Dot<float>(state, _first.Value) - of[row]; // log Σ e^score
            for (int at = 0; at < fresh.Count; at++)
            {
                scores[(row * fresh.Count) + at] = fresh.Items[at] is { } item
                    ? TensorPrimitives.Dot<float>(state, item.VectorIn(Name)) - partition
                    : float.NaN;
            }
        }

        return tensor(scores, [rows, fresh.Count]);
    }

    /// <inheritdoc cref="IItemVectors.VectorOf"/>
    internal ReadOnlyMemory<float> VectorOf(IReadOnlyDictionary<string, ReadOnlyMemory<float>> embeddings) =>
        _projection?.VectorOf(embeddings, _longest.Value) ?? default;

    /// <summary>Scores before the softmax.</summary>
    /// <param name="vectors">[items + 1, dim], the last row zero.</param>
    /// <returns>[rows, items] of histories.</returns>
    internal static Func<IReadOnlyList<IReadOnlyList<int>>, Tensor> Logits(SequenceEncoder encoder, Tensor vectors, int history) =>
        histories =>
        {
            var (items, starts) = Slots(histories, history);
            return matmul(
                States(encoder, NewItems.None.Select(vectors, items, Id), starts),
                vectors.narrow(0, 0, vectors.size(0) - 1).transpose(0, 1));
        };

    /// <summary>What an encoder makes of histories, which are read side by side without padding.</summary>
    /// <param name="slots">[slots, dim] what is read.</param>
    /// <param name="starts">[histories + 1] where each starts.</param>
    /// <returns>[rows, dim]</returns>
    private static Tensor States(SequenceEncoder encoder, Tensor slots, List<int> starts)
    {
        Tensor On(IEnumerable<long> values) => tensor(values.ToArray(), device: slots.device);
        var states = encoder.Forward(
            slots, On(PackedTrunk.Places(starts)), tensor(starts.Select(start => (long)start).ToArray()), null);
        return states.index_select(0, On(starts.Skip(1).Select(end => end - 1L))); // [rows, dim]
    }

    /// <summary>What is read of histories, end to end.</summary>
    /// <param name="fixedShapes">Whether <see cref="FixedShapes.Behind"/> follows them.</param>
    /// <returns>[slots] items, -1: the beginning, as in training; and [histories + 1] where each starts.</returns>
    private static (List<int> Items, List<int> Starts) Slots(
        IReadOnlyList<IReadOnlyList<int>> histories, int history, bool fixedShapes = false)
    {
        var (items, starts) = (new List<int>(), new List<int> { 0 });
        foreach (var all in histories)
        {
            items.Add(-1);
            items.AddRange(all.Skip(all.Count - history));
            starts.Add(items.Count);
        }

        foreach (int slots in fixedShapes ? FixedShapes.Behind(starts, history + 1) : [])
        {
            items.AddRange(Enumerable.Repeat(-1, slots));
            starts.Add(items.Count);
        }

        return (items, starts);
    }

    /// <summary>Reads what comes before the slots of a batch.</summary>
    /// <param name="slots">[n] each with an item before it, at most <see cref="LegOptions.History"/> of them.</param>
    /// <param name="items">[candidates]</param>
    /// <returns>[n, dim] states, and [candidates, dim] vectors; their products are the scores before the softmax.</returns>
    internal (Tensor States, Tensor Vectors) Read(PackedBatch batch, int[] slots, int[] items)
    {
        Tensor On(int[] values) => tensor(Array.ConvertAll(values, value => (long)value), device: Vectors.device);
        var previous = NewItems.None.Select(Vectors, batch.Previous, Name);
        var states = _encoder.Forward(
            previous, On(batch.Positions), tensor(Array.ConvertAll(batch.Starts, start => (long)start)), null);
        return (states.index_select(0, On(slots)), Vectors.index_select(0, On(items)).to(ScalarType.Float32));
    }

    /// <summary>The vectors of a large catalogue: half the bytes of float32, and what all answers are reckoned from.</summary>
    /// <param name="vectors">Are no longer the caller's.</param>
    /// <param name="kept">Whether they stay bf16, or are wanted as float32 of the same values.</param>
    internal static Tensor Rounded(Tensor vectors, bool kept)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var rounded = vectors.to(ScalarType.BFloat16);
        var of = kept ? rounded : rounded.to(ScalarType.Float32);
        if (of.Handle != vectors.Handle)
        {
            vectors.Dispose();
        }

        return of.DetachFromDisposeScope();
    }

    public void Save(string folder)
    {
        using var scope = NewDisposeScope();
        var state = _encoder.state_dict().ToDictionary(pair => EncoderPrefix + pair.Key, pair => pair.Value);
        state[VectorsKey] = Lists is null ? Vectors : Vectors.to(ScalarType.BFloat16);
        _projection?.Save(state);
        Lists?.Save(state);
        ModelFiles.Save(folder, Config, state, Json.Files);
    }

    /// <param name="device">Where it computes: cpu, cuda or cuda:N.</param>
    /// <exception cref="CatalogException">DataLoss: a file is missing, damaged or does not fit the other.</exception>
    public static DenseLeg Load(string folder, string device = "cpu", Arithmetic arithmetic = Arithmetic.Float32)
    {
        var place = Devices.Of(device);
        return ModelFiles.Load<DenseConfig, DenseLeg>(
            folder, Json.Files, config => Faults.Of(config.Check), CatalogException.Damaged, (config, state) =>
            {
                var projection = ContentProjection.Load(config.Projection, config.Options.Dim, state);
                var lists = VectorLists.Load(state, config.Items, config.Options.Dim);
                var vectors = lists is null
                    ? state.Take(VectorsKey, ScalarType.Float32, config.Items + 1, config.Options.Dim)
                    : state.TakeRows(VectorsKey, config.Items + 1, config.Options.Dim);
                if (state.Keys.FirstOrDefault(key => !key.StartsWith(EncoderPrefix, StringComparison.Ordinal)) is { } unknown)
                {
                    throw new TorchException($"'{unknown}' is unknown.");
                }

                using var generator = new Generator(0); // the weights come from the file
                var encoder = new SequenceEncoder(config.Options, generator).With(
                    state.ToDictionary(pair => pair.Key[EncoderPrefix.Length..], pair => pair.Value));
                encoder.MoveTo(place);
                return new DenseLeg(config, encoder, vectors.to(place).DetachFromDisposeScope(), projection, arithmetic, lists);
            });
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _packed?.Dispose();
        Vectors.Dispose();
        if (_inverseNorms.IsValueCreated)
        {
            InverseNorms.Dispose();
        }
    }
}

/// <summary>Everything but the tensors that a saved leg needs.</summary>
/// <param name="Format">Raised when the meaning of the files changes.</param>
/// <param name="Name"><see cref="DenseLeg.Id"/> or <see cref="DenseLeg.Content"/>.</param>
/// <param name="Options">Shape and recipe.</param>
/// <param name="Items">Items that it was trained with.</param>
/// <param name="Projection">The embeddings that bring a new item its vector; null: nothing does.</param>
public sealed record DenseConfig(
    int Format, string Name, DenseOptions Options, int Items, IReadOnlyList<ProjectedPart>? Projection = null)
{
    public const int CurrentFormat = 1;

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        faults.Check(Format == CurrentFormat, "format", Format, $"{CurrentFormat}");
        faults.Check(Name is DenseLeg.Id or DenseLeg.Content, "name", Name, $"{DenseLeg.Id}, {DenseLeg.Content}");
        Options.Check(faults, Name);
        faults.Range("items", Items, 1, int.MaxValue - 1);
        foreach (var part in Projection ?? [])
        {
            faults.Range($"projection.{part.Name}.dim", part.Dim, 1, 1 << 20);
        }
    }
}
