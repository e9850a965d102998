using System.Text.Json.Serialization;

namespace Recsys.Retrieval.Legs.Generative;

/// <summary>The network that decodes semantic IDs.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<GenerativeNetwork>))]
public enum GenerativeNetwork
{
    /// <summary>A trunk reads a history item by item, a head writes the next item's tokens; learned behind every item at once.</summary>
    [JsonStringEnumMemberName("decoder")]
    DecoderOnly,

    /// <summary>TIGER's: a history is read as a whole, and one item behind it is written.</summary>
    [JsonStringEnumMemberName("encoder-decoder")]
    EncoderDecoder,
}

/// <summary>Shape and training recipe of the leg that decodes semantic IDs.</summary>
public sealed record GenerativeOptions : LegOptions
{
    public GenerativeOptions() => Epochs = 22;

    public GenerativeNetwork Network { get; init; }

    /// <summary>Adds each history item's own vector (projected features + learned embedding) to its tokens; the decoder's
    /// alone.</summary>
    public bool DenseInputs { get; init; } = true;

    /// <summary>Of the decoder: layers of the head that writes an item's tokens; <see cref="LegOptions.Layers"/> are the trunk's.</summary>
    public int DepthLayers { get; init; } = 2;

    /// <summary>Of the decoder: dropout of the head. Where a token that was just written is dropped, no prefix is left to go on
    /// from.</summary>
    public double DepthDropout { get; init; }

    /// <summary>
    /// Of the decoder: share of the objective that is learned from the ID leg, where there is one: not the item that came alone, but
    /// all that the leg would have expected, by exact sums over the trie of semantic IDs. 0 to 1.
    /// </summary>
    public double Distillation { get; init; } = 0.5;

    /// <summary>Share of dense vectors hidden in training, so that an appended item, which has none, is nothing new to the model.</summary>
    public double DenseDropout { get; init; } = 0.1;

    /// <summary>Of the encoder-decoder: tokens that users share by a hash of their id, 0 to 1,000,000.</summary>
    public int Users { get; init; } = 2000;

    /// <summary>Of the encoder-decoder: share of the steps, the last ones, in which a history is read as it is when it is answered; the
    /// others rehearse with one reading for all items of a history. 1 is TIGER's own training; above 0.</summary>
    public double WholeShare { get; init; } = 0.2;

    /// <summary>Of the encoder-decoder: width of a head; null: dim / heads.</summary>
    public int? HeadWidth { get; init; }

    /// <summary>Of the encoder-decoder: width of the MLPs; null: 4 · dim.</summary>
    public int? Hidden { get; init; }

    internal bool ReadsVectors => DenseInputs && Network == GenerativeNetwork.DecoderOnly;

    internal int WidthOfHead => HeadWidth ?? Dim / Heads;

    internal int HiddenOfMlp => Hidden ?? 4 * Dim;

    protected override bool FitsHeads => HeadWidth is not null || base.FitsHeads;

    public override void Check(Faults faults, string leg)
    {
        base.Check(faults, leg);
        faults.Check(DenseDropout is >= 0 and < 1, $"{leg}.dense_dropout", DenseDropout, "0 to below 1");
        faults.Range($"{leg}.users", Users, 0, 1_000_000);
        faults.Range($"{leg}.depth_layers", DepthLayers, 1, 64);
        faults.Check(DepthDropout is >= 0 and < 1, $"{leg}.depth_dropout", DepthDropout, "0 to below 1");
        faults.Check(Distillation is >= 0 and <= 1, $"{leg}.distillation", Distillation, "0 to 1");
        faults.Check(WholeShare is > 0 and <= 1, $"{leg}.whole_share", WholeShare, "above 0 to 1");
        faults.Range($"{leg}.head_width", HeadWidth ?? 1, 1, 1024);
        faults.Range($"{leg}.hidden", Hidden ?? 1, 1, 65_536);
        faults.Check(
            Network == GenerativeNetwork.EncoderDecoder || (HeadWidth, Hidden) is (null, null), $"{leg}.network", "decoder",
            "encoder-decoder, where head_width or hidden is given");
    }
}
