using Recsys.Catalog;

namespace Recsys.Cli.Demo.Shoppers;

/// <summary>Simulated histories with what no recommender may see: the model they came from and its hidden states.</summary>
/// <param name="Personas">[shoppers] the persona of each.</param>
/// <param name="Themes">[interactions] the hidden theme under which each sticker was taken, beside <c>Sequences.Items</c>.</param>
public sealed record SimulatedShopping(TasteModel Model, SequenceSet Sequences, int[] Personas, int[] Themes);
