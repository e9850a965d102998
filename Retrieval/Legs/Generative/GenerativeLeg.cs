using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Legs.Generative;

/// <summary>
/// Decodes the codes of the next item. Bound to no table of items: an item appended after training is found by its codes. Scores
/// are natural logarithms of the probability of an item's tokens.
/// </summary>
public sealed class GenerativeLeg : IDisposable
{
    public const string LegName = "generative";

    private const string VectorsKey = "item_vectors";

    private readonly PackedDecoder? _packed; // null: TorchSharp's operators answer
    private readonly OperatorUse _use;

    /// <param name="network">Becomes this leg's to dispose.</param>
    /// <param name="vectors">[trained items + 1, dim] float32 or bf16, the last row zero; null: the model knows codes alone. Becomes this
    /// leg's.</param>
    /// <param name="use">Of operators; null: by the device and the arithmetic.</param>
    internal GenerativeLeg(
        GenerativeConfig config, SemanticDecoder network, Tensor? vectors, Arithmetic arithmetic = Arithmetic.Float32,
        OperatorUse? use = null)
    {
        (Config, Network, Vectors) = (config, network, vectors);
        Layout = new TokenLayout(config.CodebookSizes, config.CollisionTokens);
        Device = network.parameters().First().device;
        network.eval();
        _packed = arithmetic != Arithmetic.Operators && Device.type == DeviceType.CPU && network is DecoderOnly decoder
            ? decoder.Pack(arithmetic == Arithmetic.BFloat16)
            : null;
        _use = use ?? OperatorUse.Of(Device, arithmetic);
    }

    public GenerativeConfig Config { get; }

    internal TokenLayout Layout { get; }

    internal SemanticDecoder Network { get; }

    internal Tensor? Vectors { get; }

    internal Device Device { get; }

    /// <summary>Reads the histories' most recent items, side by side.</summary>
    /// <param name="histories">[rows] indexes into <paramref name="items"/>, oldest first.</param>
    /// <param name="users">[rows] ids, null: unknown; read by the encoder-decoder alone.</param>
    /// <param name="fresh">Items that came after training; null: their codes alone are read.</param>
    /// <returns>The states behind the histories; within the caller's dispose scope.</returns>
    internal PrefixStates Read(
        IReadOnlyList<IReadOnlyList<int>> histories, IReadOnlyList<string?> users, ItemTable items,
        NewItems? fresh = null) => Network switch
        {
            EncoderDecoder network => Read(network, histories, users, items),
            DecoderOnly network => Read(network, histories, items, fresh ?? NewItems.None),
            _ => throw new NotSupportedException($"{Network.GetType()} cannot read histories."),
        };

    /// <summary>A new network of the options' kind.</summary>
    internal static SemanticDecoder Make(TokenLayout layout, GenerativeOptions options, Generator generator) =>
        options.Network == GenerativeNetwork.EncoderDecoder
            ? new EncoderDecoder(layout, options, generator)
            : new DecoderOnly(layout, options, generator);

    private TensorStates Read(
        EncoderDecoder network, IReadOnlyList<IReadOnlyList<int>> histories, IReadOnlyList<string?> users, ItemTable items)
    {
        var (hidden, cache) = network.Read(EncoderInput.Of(
            Layout, Config.Options.Users, users,
            [.. histories.Select(history => new ArraySegment<int>([.. history.TakeLast(Config.Options.History)]))],
            (item, codes) => Layout.CopyCodes(items.SemanticIds[item], codes), Device));
        return new TensorStates(network, hidden, cache, histories.Count);
    }

    private PrefixStates Read(DecoderOnly network, IReadOnlyList<IReadOnlyList<int>> histories, ItemTable items, NewItems fresh)
    {
        int depth = Layout.Depth;
        var (previous, starts) = (new List<int>(), new List<int> { 0 });
        foreach (var history in histories)
        {
            previous.AddRange(history.Skip(history.Count - Config.Options.History).Prepend(-1)); // the beginning, as in training
            starts.Add(previous.Count);
        }

        if (_packed is null && _use.FixedShapes)
        {
            foreach (int slots in FixedShapes.Behind(starts, Config.Options.History + 1))
            {
                previous.AddRange(Enumerable.Repeat(-1, slots));
                starts.Add(previous.Count);
            }
        }

        var codes = new int[previous.Count * depth];
        for (int slot = 0; slot < previous.Count; slot++)
        {
            if (previous[slot] >= 0)
            {
                Layout.CopyCodes(items.SemanticIds[previous[slot]], codes.AsSpan(slot * depth, depth));
            }
        }

        long[] tokens = Layout.Whole(codes, [.. previous.Select((item, slot) => item < 0 ? -1 : slot)]);
        var vectors = Vectors is null ? null : fresh.Select(Vectors, previous, LegName);
        if (_packed is not null)
        {
            return _packed.Read(tokens, [.. starts], vectors is null ? null : PackedTrunk.Values(vectors));
        }

        using var narrow = _use.Scope();
        var states = network.Read(
            new SlotInput(tensor(tokens, [previous.Count, depth], device: Device), tensor(PackedTrunk.Places(starts), device: Device),
                vectors),
            tensor(starts.ConvertAll(start => (long)start).ToArray()), null);
        int laid = _use.FixedShapes ? FixedShapes.Size(histories.Count) : histories.Count;
        long[] ends = [.. starts.Skip(1).Take(laid).Select(end => end - 1L)];
        var (hidden, cache) = network.Begin(states.index_select(0, tensor(ends, device: Device)));
        return new TensorStates(network, hidden, cache, histories.Count, _use);
    }

    public void Save(string folder)
    {
        using var scope = NewDisposeScope();
        var state = Network.state_dict();
        if (Vectors is not null)
        {
            state[VectorsKey] = Vectors;
        }

        ModelFiles.Save(folder, Config, state, Json.Files);
    }

    /// <param name="device">Where it decodes: cpu, cuda or cuda:N.</param>
    /// <exception cref="CatalogException">DataLoss: a file is missing, damaged or does not fit the other.</exception>
    public static GenerativeLeg Load(string folder, string device = "cpu", Arithmetic arithmetic = Arithmetic.Float32)
    {
        var place = Devices.Of(device);
        return ModelFiles.Load<GenerativeConfig, GenerativeLeg>(
            folder, Json.Files, config => Faults.Of(config.Check), CatalogException.Damaged, (config, state) =>
            {
                var vectors = config.Options.ReadsVectors
                    ? state.TakeRows(VectorsKey, config.TrainedItems + 1, config.Options.Dim)
                    : null;
                using var generator = new Generator(0); // the weights come from the file
                var layout = new TokenLayout(config.CodebookSizes, config.CollisionTokens);
                var network = Make(layout, config.Options, generator).With(state);
                network.MoveTo(place);
                return new GenerativeLeg(config, network, vectors?.to(place).DetachFromDisposeScope(), arithmetic);
            });
    }

    public void Dispose()
    {
        Network.Dispose();
        Vectors?.Dispose();
        _packed?.Dispose();
    }
}

/// <summary>Everything but the tensors that a saved leg needs.</summary>
/// <param name="Format">Raised when the meaning of the files changes.</param>
/// <param name="Options">Shape and recipe.</param>
/// <param name="CodebookSizes">[levels]</param>
/// <param name="CollisionTokens">Collision tokens that the model knows.</param>
/// <param name="TrainedItems">Items with a vector of their own; those appended later have the mean of those that
/// stand for theirs, or their codes alone.</param>
public sealed record GenerativeConfig(
    int Format, GenerativeOptions Options, int[] CodebookSizes, int CollisionTokens, int TrainedItems)
{
    public const int CurrentFormat = 2;

    /// <summary>Notes every value that is out of its range.</summary>
    public void Check(Faults faults)
    {
        faults.Check(Format == CurrentFormat, "format", Format, $"{CurrentFormat}");
        Options.Check(faults, GenerativeLeg.LegName);
        faults.Range("levels", CodebookSizes.Length, 1, SemanticId.MaxLevels);
        faults.Check(
            CodebookSizes.All(size => size is >= 1 and <= 65_536), "codebook_sizes", string.Join(", ", CodebookSizes),
            "1 to 65536 codes a level");
        faults.Range("collision_tokens", CollisionTokens, 1, 65_536);
        faults.Range("trained_items", TrainedItems, 0, int.MaxValue);
    }
}
