using Recsys.Catalog;
using Recsys.Quantizer.Encoding;

namespace Recsys.Quantizer.Tests;

public class FusionTests
{
    private static readonly EmbeddingMatrix Text = new("text", 2, [3, 0, 0, 2, -1, 0, 0, 0], [true, true, true, false]);
    private static readonly EmbeddingMatrix Image = new("image", 1, [0, 0, 4, 2], [false, false, true, true]);

    [Fact]
    public void Parts_are_unit_length_centred_scaled_and_weighted()
    {
        // Unit rows (1,0), (0,1), (-1,0): mean (0, 1/3), variance 1 - 1/9.
        var fusion = Fusion.Fit([Text], new FusionOptions { Weights = new Dictionary<string, double> { ["text"] = 2 } });
        double scale = 1 / Math.Sqrt(8.0 / 9);
        var row = fusion.Fuse("x", Named(("text", [0, 5])));
        Assert.Equal(0, row[0], 6);
        Assert.Equal(2 * scale * (1 - (1.0 / 3)), row[1], 5);
    }

    [Fact]
    public void Fused_vectors_of_the_catalogue_have_the_weights_squared_length_on_average()
    {
        var fused = Fusion.Fit([Text], new FusionOptions()).Apply([Text]);
        Assert.Equal(3, fused.Data.Sum(v => v * v), 4);
        Assert.Equal([true, true, true, false], fused.Present);
    }

    [Fact]
    public void An_embedding_that_keeps_its_length_is_not_normalised_row_by_row()
    {
        var part = Fusion.Fit([Image], new FusionOptions()).Parts[0];
        Assert.Equal([3f], part.Mean);
        Assert.Equal(1, part.Scale, 5);
    }

    [Fact]
    public void A_missing_embedding_is_zero_and_the_others_grow_by_the_missing_weight()
    {
        var fusion = Fusion.Fit([Text, Image], new FusionOptions());
        var (both, alone) = (fusion.Fuse("x", Named(("text", [1, 0]), ("image", [4]))), fusion.Fuse("x", Named(("text", [1, 0]))));
        Assert.Equal(0, alone[0]);
        double grow = Math.Sqrt((1 + (0.5 * 0.5)) / 1);
        Assert.Equal(both[1] * grow, alone[1], 5);
        Assert.Equal(both[2] * grow, alone[2], 5);
    }

    [Fact]
    public void One_item_is_fused_exactly_as_in_its_catalogue()
    {
        var fusion = Fusion.Fit([Text, Image], new FusionOptions());
        var fused = fusion.Apply([Image, Text]);
        Assert.Equal(fused.Data[..3], fusion.Fuse("0", Named(("text", [3, 0]))));
        Assert.Equal(fused.Data[6..9], fusion.Fuse("2", Named(("image", [4]), ("text", [-1, 0]))));
        Assert.Equal(fused.Data[9..], fusion.Fuse("3", Named(("image", [2]))));
    }

    [Fact]
    public void A_fused_vector_is_split_into_what_it_was_made_of_but_for_lengths()
    {
        double angle = 0.7;
        float[] rotation = [(float)Math.Cos(angle), (float)Math.Sin(angle), (float)-Math.Sin(angle), (float)Math.Cos(angle)];
        var fitted = Fusion.Fit([Text, Image], new FusionOptions { Weights = new Dictionary<string, double> { ["text"] = 2 } });
        foreach (var fusion in new[] { fitted, new Fusion([fitted.Parts[0], fitted.Parts[1] with { Rotation = rotation }]) })
        {
            var split = fusion.Split(fusion.Fuse("x", Named(("text", [3, 4]), ("image", [4])))).ToList();
            Assert.Equal(["image", "text"], split.Select(part => part.Name));
            Assert.Equal(4, split[0].Vector[0], 5);
            Assert.Equal(0.6, split[1].Vector[0], 5);
            Assert.Equal(0.8, split[1].Vector[1], 5);
        }

        var without = new Fusion([fitted.Parts[0] with { Weight = 0 }, fitted.Parts[1]]);
        Assert.Equal(["text"], without.Split(without.Fuse("x", Named(("text", [3, 4])))).Select(part => part.Name));
    }

    [Fact]
    public void Faulty_vectors_are_typed_errors_that_name_item_embedding_and_expectation()
    {
        var fusion = Fusion.Fit([Text, Image], new FusionOptions());
        Assert.Contains("3 values; this version's codebook was trained on 2", Error(("text", [1, 2, 3])), StringComparison.Ordinal);
        Assert.Contains("'sound' is unknown", Error(("sound", [1])), StringComparison.Ordinal);
        Assert.Contains("NaN at position 1", Error(("text", [1, float.NaN])), StringComparison.Ordinal);
        Assert.Contains("times as long as the catalogue's; allowed are 100", Error(("image", [float.MaxValue])), StringComparison.Ordinal);
        Assert.Contains("times as long", Error(("image", [5000]), ("text", [1, 0])), StringComparison.Ordinal);
        Assert.Contains("not zero", Error(("text", [0, 0])), StringComparison.Ordinal);
        Assert.Contains("image (1 values), text (2 values)", Error(), StringComparison.Ordinal);

        string Error(params (string, float[])[] vectors)
        {
            var error = Assert.Throws<CatalogException>(() => fusion.Fuse("item-1", Named(vectors)));
            Assert.Equal(Fault.InvalidArgument, error.Fault);
            Assert.Contains("item-1", error.Message, StringComparison.Ordinal);
            return error.Message;
        }
    }

    [Fact]
    public void Catalogues_that_cannot_be_fused_are_refused()
    {
        Assert.Throws<CatalogException>(() => Fusion.Fit([], new FusionOptions()));
        Assert.Throws<CatalogException>(() => Fusion.Fit([Text, Text], new FusionOptions()));
        Assert.Throws<CatalogException>(() => Fusion.Fit([Text, new EmbeddingMatrix("image", 1, [1], [true])], new FusionOptions()));
        Assert.Throws<CatalogException>(() => Fusion.Fit([new EmbeddingMatrix("text", 1, [0, 0], [true, false])], new FusionOptions()));
    }

    internal static IEnumerable<KeyValuePair<string, ReadOnlyMemory<float>>> Named(params (string Name, float[] Vector)[] vectors)
        => vectors.Select(v => KeyValuePair.Create(v.Name, new ReadOnlyMemory<float>(v.Vector)));
}
