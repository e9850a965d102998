using System.Text.Json.Serialization;

namespace Recsys.Quantizer;

/// <summary>How embeddings become codes.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<QuantizerKind>))]
public enum QuantizerKind
{
    /// <summary>k-means on the embeddings, then on what each level leaves over.</summary>
    [JsonStringEnumMemberName("residual-kmeans")]
    ResidualKMeans,

    /// <summary>An autoencoder whose latent is quantised level by level (Zeghidour et al. 2021; Rajput et al. 2023).</summary>
    [JsonStringEnumMemberName("rqvae")]
    RqVae,

    /// <summary>An autoencoder whose latent is cut into one part a level, each with a codebook (van den Oord et al. 2017). With one level
    /// it is <see cref="RqVae"/> with one level.</summary>
    [JsonStringEnumMemberName("vqvae")]
    VqVae,

    /// <summary>The embedding cut into one part a level, k-means on each (Jégou et al. 2011).</summary>
    [JsonStringEnumMemberName("pq")]
    Product,

    /// <summary>The same after a learned rotation (Ge et al. 2013).</summary>
    [JsonStringEnumMemberName("opq")]
    OptimisedProduct,

    /// <summary>An autoencoder whose latent values are rounded to a few numbers each (Mentzer et al. 2023).</summary>
    [JsonStringEnumMemberName("fsq")]
    FiniteScalar,

    /// <summary>An autoencoder whose latent values are signs, the bits of the codes (Yu et al. 2023).</summary>
    [JsonStringEnumMemberName("lfq")]
    LookupFree,

    /// <summary>Sides of random hyperplanes, the bits of the codes; nothing is trained (Charikar 2002).</summary>
    [JsonStringEnumMemberName("lsh")]
    Hyperplanes,

    /// <summary>A hash: what any other way must beat.</summary>
    [JsonStringEnumMemberName("random")]
    Random,
}

/// <summary>What is true of a kind whatever its settings.</summary>
public static class QuantizerKinds
{
    /// <summary>Whether codes are groups of bits, so that a level's size is a power of two.</summary>
    public static bool HasBits(this QuantizerKind kind) => kind is QuantizerKind.LookupFree or QuantizerKind.Hyperplanes;

    /// <summary>Whether an autoencoder is trained, by the settings <c>quantizer.rq_vae</c>.</summary>
    public static bool HasAutoencoder(this QuantizerKind kind) =>
        kind is QuantizerKind.RqVae or QuantizerKind.VqVae or QuantizerKind.FiniteScalar or QuantizerKind.LookupFree;

    /// <summary>Whether anything is learned that could collapse.</summary>
    public static bool IsTrained(this QuantizerKind kind) => kind is not (QuantizerKind.Hyperplanes or QuantizerKind.Random);

    /// <summary>Whether a level quantises what those before it left over: then a beam finds better tuples.</summary>
    public static bool IsResidual(this QuantizerKind kind) => kind is QuantizerKind.ResidualKMeans or QuantizerKind.RqVae;

    /// <summary>The name in configuration and files.</summary>
    public static string Name(this QuantizerKind kind) => System.Text.Json.JsonSerializer.Serialize(kind).Trim('"');
}
