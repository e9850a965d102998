using Recsys.Catalog;

namespace Recsys.Cli.Demo.Shoppers;

/// <summary>How many shoppers to simulate and how they behave; <see cref="TasteModel"/> says what each probability does.</summary>
public sealed record StickerShopperOptions
{
    /// <summary>Simulated shoppers; 1 to 10 million.</summary>
    public int Shoppers { get; init; } = 6000;

    /// <summary>Same seed, same catalogue: same model and same sequences.</summary>
    public ulong Seed { get; init; } = 2026;

    /// <summary>Stickers a shopper takes, drawn evenly from this to <see cref="MaxLength"/>; at least 1.</summary>
    public int MinLength { get; init; } = 5;

    /// <summary>At most 1,000, and fewer than the catalogue has.</summary>
    public int MaxLength { get; init; } = 20;

    /// <summary>Kinds of shopper, each with 1 to 3 favourite subcategories; 1 to 10,000.</summary>
    public int Personas { get; init; } = 64;

    /// <summary>Probability that the theme of the session ends before the next sticker; 0 to 1.</summary>
    public double Switch { get; init; } = 0.2;

    /// <summary>Probability that a new theme is one related to the old, and not one of the shopper's favourites; 0 to 1.</summary>
    public double Related { get; init; } = 0.3;

    /// <summary>Probability that a sticker follows, by the catalogue's successor lists, the last one taken of its theme; 0 to 1.</summary>
    public double Succession { get; init; } = 0.6;

    /// <summary>Probability of any sticker at all, evenly; above 0, to 1.</summary>
    public double Noise { get; init; } = 0.06;

    /// <exception cref="CatalogException">Every value out of its range.</exception>
    public void Validate() => Faults.ThrowIfAny("Simulation of sticker shoppers", faults =>
    {
        faults.Range(nameof(Shoppers), Shoppers, 1, 10_000_000);
        faults.Range(nameof(MinLength), MinLength, 1, 1000);
        faults.Range(nameof(MaxLength), MaxLength, Math.Max(MinLength, 1), 1000);
        faults.Range(nameof(Personas), Personas, 1, 10_000);
        faults.Range(nameof(Switch), Switch, 0, 1);
        faults.Range(nameof(Related), Related, 0, 1);
        faults.Range(nameof(Succession), Succession, 0, 1);
        faults.Range(nameof(Noise), Noise, 1e-6, 1);
    });
}
