using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Recsys.Catalog.Tests;

public sealed class SemanticIdTests
{
    private static readonly Arbitrary<(ushort[] Codes, ushort Token)> Ids = Gen.Choose(1, SemanticId.MaxLevels)
        .SelectMany(levels => Gen.ArrayOf(Gen.Choose(0, ushort.MaxValue), levels).Zip(Gen.Choose(0, ushort.MaxValue)))
        .Select(draw => (draw.Item1.Select(code => (ushort)code).ToArray(), (ushort)draw.Item2)).ToArbitrary();

    [Property(MaxTest = 500)]
    public Property Codes_and_token_are_read_back_as_they_were_given() => Prop.ForAll(Ids, draw =>
    {
        var id = new SemanticId(draw.Codes, draw.Token);
        return id.Codes().SequenceEqual(draw.Codes) && id.Collision == draw.Token && id.Levels == draw.Codes.Length
            && Enumerable.Range(0, id.Levels).All(level => id[level] == draw.Codes[level]);
    });

    [Property(MaxTest = 500)]
    public Property Text_is_parsed_back_to_the_same_id() => Prop.ForAll(Ids, draw =>
    {
        var id = new SemanticId(draw.Codes, draw.Token);
        return SemanticId.Parse(id.ToString()) == id && id.ToString() == $"{string.Join('-', draw.Codes)}#{draw.Token}";
    });

    [Property(MaxTest = 500)]
    public Property Ids_of_equal_levels_sort_by_codes_then_by_token() => Prop.ForAll(Ids, Ids, (one, other) =>
    {
        int levels = Math.Min(one.Codes.Length, other.Codes.Length);
        var (a, b) = (new SemanticId(one.Codes.AsSpan(0, levels), one.Token), new SemanticId(other.Codes.AsSpan(0, levels), other.Token));
        var (left, right) = (one.Codes.Take(levels).Append(one.Token), other.Codes.Take(levels).Append(other.Token));
        int expected = left.Zip(right).Select(pair => pair.First.CompareTo(pair.Second)).FirstOrDefault(order => order != 0);
        return Math.Sign(a.CompareTo(b)) == Math.Sign(expected) && (a == b) == (expected == 0);
    });

    [Property(MaxTest = 500)]
    public Property Another_token_changes_the_id_and_keeps_its_codes() => Prop.ForAll(Ids, draw =>
    {
        var id = new SemanticId(draw.Codes, draw.Token);
        var other = id.WithCollision((ushort)(draw.Token ^ 1));
        return other != id && other.SameCodes(id) && other.WithCollision(draw.Token) == id;
    });

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("1-")]
    [InlineData("1--2")]
    [InlineData("65536")]
    [InlineData("1#")]
    [InlineData("1#65536")]
    [InlineData("1#-1")]
    [InlineData("1 -2")]
    [InlineData("1-2-3-4-5-6-7-8-9")]
    [InlineData("a-b")]
    public void Anything_else_is_no_semantic_id(string text)
    {
        Assert.False(SemanticId.TryParse(text, out _));
        Assert.Equal(Fault.InvalidArgument, Assert.Throws<CatalogException>(() => SemanticId.Parse(text)).Fault);
    }

    [Fact]
    public void A_token_that_is_left_out_is_zero() => Assert.Equal(SemanticId.Parse("7-8-9#0"), SemanticId.Parse("7-8-9"));

    [Fact]
    public void Codes_decide_whether_two_ids_share_them_not_their_number_of_levels() =>
        Assert.False(SemanticId.Parse("1-2").SameCodes(SemanticId.Parse("1-2-0")));
}
