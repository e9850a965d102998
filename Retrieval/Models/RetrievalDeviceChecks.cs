using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;

namespace Recsys.Retrieval.Models;

/// <summary>The decoder, and the encoder of the dense legs, on a device beside the CPU.</summary>
public static class RetrievalDeviceChecks
{
    private const int Slots = 48, Window = 12;

    private static readonly GenerativeOptions Options = new() { History = Window, Dim = 64, Layers = 2, Heads = 2 };
    private static readonly TokenLayout Layout = new([32, 32, 32], 4);

    /// <param name="device">Any; on the CPU itself the differences are 0.</param>
    public static IEnumerable<DeviceCheck> Run(Device device)
    {
        foreach (bool bfloat16 in (bool[])[false, true])
        {
            string precision = bfloat16 ? "bf16" : "float32";
            yield return DeviceCheck.Of($"decoder, training, {precision}", Make, Training, device, bfloat16);
            yield return DeviceCheck.Of($"dense encoder, training, {precision}", MakeEncoder, Encoding, device, bfloat16);
            yield return DeviceCheck.Of($"encoder-decoder, training, {precision}", MakeWhole, Writing, device, bfloat16);
        }

        yield return DeviceCheck.Of("decoder, reading and extending", Make, Decoding, device);
        yield return DeviceCheck.Of("encoder-decoder, reading and extending", MakeWhole, Answering, device);
        foreach (bool bfloat16 in (bool[])[false, true])
        {
            var use = new OperatorUse(FixedShapes: true, bfloat16);
            string how = $"answers in fixed shapes, {(bfloat16 ? "bf16" : "float32")}";
            yield return DeviceCheck.OfAnswers($"decoder, {how}", () => Decoded(CPU, default), () => Decoded(device, use), bfloat16);
            yield return DeviceCheck.OfAnswers($"dense leg, {how}", () => Ranked(CPU, default), () => Ranked(device, use), bfloat16);
        }
    }

    /// <summary>What a search sees of three histories.</summary>
    private static Tensor Decoded(Device device, OperatorUse use)
    {
        using var network = Make();
        network.MoveTo(device);
        var config = new GenerativeConfig(GenerativeConfig.CurrentFormat, Options, [32, 32, 32], 4, Items.Count);
        using var leg = new GenerativeLeg(config, network, Vectors().to(device), Arithmetic.Operators, use);
        using var states = leg.Read(Answered, [null, null, null], Items);
        var values = new List<float>();
        void Note(int first)
        {
            for (int state = first; state < states.Count; state++)
            {
                values.AddRange(states.LogProbabilities(state));
            }
        }

        Note(0);
        states.Extend([0, 0, 1, 2, 2, 2], [3, 30, 7, 1, 2, 31]);
        Note(3);
        states.Extend([3, 4, 4, 6, 8], [9, 9, 5, 0, 17]);
        Note(9);
        return tensor(values);
    }

    /// <returns>[histories, items]</returns>
    private static Tensor Ranked(Device device, OperatorUse use)
    {
        var encoder = MakeEncoder();
        encoder.MoveTo(device);
        var options = new DenseOptions { History = Window, Dim = Options.Dim, Layers = Options.Layers, Heads = Options.Heads };
        var config = new DenseConfig(DenseConfig.CurrentFormat, DenseLeg.Id, options, Items.Count);
        using var leg = new DenseLeg(config, encoder, Vectors().to(device), arithmetic: Arithmetic.Operators, use: use);
        return leg.Scores(Answered);
    }

    private static readonly int[][] Answered = [[3, 1, 4], [1], [5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2]];

    private static readonly ItemTable Items = new(
        [.. Enumerable.Range(0, 32).Select(item => $"{item}")],
        [.. Enumerable.Range(0, 32).Select(item => new SemanticId([(ushort)item, (ushort)(item * 7 % 32), (ushort)(item * 5 % 32)]))],
        [.. Enumerable.Repeat("", 32)], [32, 32, 32]);

    /// <returns>[items + 1, dim], the last row zero.</returns>
    private static Tensor Vectors()
    {
        using var generator = new Generator(17);
        var vectors = randn([Items.Count + 1, Options.Dim], generator: generator);
        vectors[Items.Count].zero_();
        return vectors;
    }

    private static DecoderOnly Make()
    {
        using var generator = new Generator(11);
        return new DecoderOnly(Layout, Options, generator);
    }

    private static SequenceEncoder MakeEncoder()
    {
        using var generator = new Generator(12);
        return new SequenceEncoder(Options, generator);
    }

    private static EncoderDecoder MakeWhole()
    {
        using var generator = new Generator(13);
        return new EncoderDecoder(Layout, Options with { Network = GenerativeNetwork.EncoderDecoder, HeadWidth = 16 }, generator);
    }

    private static Tensor Writing(EncoderDecoder network, Device device)
    {
        var input = Histories(device);
        int targets = input.Lengths.Sum(), length = Layout.Depth - 1;
        var prefixes = arange(0, targets * length, ScalarType.Int64, device).view(-1, length).remainder(Layout.Bos);
        var states = network.ForwardShared(input, prefixes, null).unbind(1); // [depth] each [targets, dim]
        return cat([.. states.Select((state, level) => network.Logits(state, level).flatten())]);
    }

    private static Tensor Answering(EncoderDecoder network, Device device)
    {
        var (hidden, history) = network.Read(Histories(device)); // [rows, dim]
        var codes = tensor(new long[] { 1, 30, 7, 7 }, [2, 2], device: device); // [rows, beams]
        var next = network.Extend(codes, 1, history, new BeamCache()); // [rows, beams, dim]
        return cat([network.LogProbabilities(hidden, 0).flatten(), network.LogProbabilities(next, 1).flatten()]);
    }

    private static EncoderInput Histories(Device device) => EncoderInput.Of(
        Layout, 100, ["someone", null], [new ArraySegment<int>([3, 1, 4]), new ArraySegment<int>([1, 5])],
        (item, tokens) => tokens.Fill(item % 4), device);

    private static Tensor Encoding(SequenceEncoder encoder, Device device)
    {
        var input = Input(device);
        return encoder.Forward(input.Vectors!, input.Positions, Starts, null); // [slots, dim]
    }

    private static Tensor Training(DecoderOnly network, Device device)
    {
        var input = Input(device);
        var states = network.Write(network.Read(input, Starts, null), input.Previous.narrow(1, 0, Layout.Depth - 1), null);
        return cat([.. states.unbind(1).Select((state, level) => network.Logits(state, level).flatten())]);
    }

    private static Tensor Decoding(DecoderOnly network, Device device)
    {
        var ends = tensor(new long[] { Window - 1, 3 }, device: device);
        var (hidden, history) = network.Begin(network.Read(Input(device), Starts, null).index_select(0, ends)); // [rows, dim]
        var codes = tensor(new long[] { 1, 30, 7, 7 }, [2, 2], device: device); // [rows, beams]
        var next = network.Extend(codes, 1, history, new BeamCache()); // [rows, beams, dim]
        return cat([network.LogProbabilities(hidden, 0).flatten(), network.LogProbabilities(next, 1).flatten()]);
    }

    private static Tensor Starts => arange(0, (Slots / Window) + 1, ScalarType.Int64) * Window;

    private static SlotInput Input(Device device)
    {
        using var generator = new Generator(7);
        var tokens = randint(0, Layout.Vocabulary, [Slots, Layout.Depth], ScalarType.Int64, generator: generator);
        var positions = arange(Slots, ScalarType.Int64).remainder(Window);
        var vectors = randn([Slots, Options.Dim], generator: generator);
        return new SlotInput(tokens.to(device), positions.to(device), vectors.to(device));
    }
}
