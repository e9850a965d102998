namespace Recsys.Cli.Demo;

/// <summary>The program's short names, in words for the demo's reader.</summary>
internal static class DemoWords
{
    private static readonly Dictionary<string, string> Words = new(StringComparer.Ordinal)
    {
        ["popularity"] = "the ten most popular",
        ["co_occurrence"] = "counting pairs",
        ["item_knn"] = "stickers that the same shoppers took",
        ["simulate"] = "shoppers take stickers by the rules of the taste model; who knows the rules names the best possible ten",
        ["embeddings"] = "names, pictures and who took what become vectors: like stickers, near vectors",
        ["quantizer"] = "the numbers of semantic IDs are learned from the vectors",
        ["encode"] = "every sticker gets its semantic ID",
        ["retrieval"] = "four models learn what comes next, each in its own way, and how far to trust each",
        ["gates"] = "a new version that recommends worse than it may is refused here",
        ["creative"] = "a diffusion model learns to draw stickers from semantic IDs",
        ["seal"] = "the version is written for good, with a checksum of each file",
        ["evaluate"] = "the figures above",
        ["start server"] = "a server loads the version",
        ["recommend"] = "it recommends for the shoppers above, and draws for them",
        ["draw"] = "it draws the rows of stickers above",
        ["quantizer/reconstruction"] = "quantizer: how far the IDs are from the vectors they stand for",
        ["id/loss"] = "model of the stickers as such: how much the next one surprises it",
        ["id/validation_ndcg@10"] = "model of the stickers as such: how high it ranks a sticker kept from it (NDCG@10)",
        ["content/loss"] = "model of names and pictures: how much the next sticker surprises it",
        ["content/validation_ndcg@10"] = "model of names and pictures: how high it ranks a sticker kept from it (NDCG@10)",
        ["generative/loss"] = "model of semantic IDs: how much the next one surprises it",
        ["generative/validation_log_p"] = "model of semantic IDs: how likely it holds one kept from it (log-probability)",
        ["creative/loss"] = "diffusion model: how wrong its guess of the noise is",
    };

    /// <returns>The words for a baseline, a step or a curve; the name itself where there are none.</returns>
    public static string Of(string name) => Words.GetValueOrDefault(name, name);
}
