using Recsys.Catalog;
using Recsys.Cli.Terminal;

namespace Recsys.Cli.Tests.Terminal;

public class ConditionTextTests
{
    [Theory]
    [InlineData("brand=Acme", """{ "attribute": "brand", "anyOf": { "values": [ "Acme" ] } }""")]
    [InlineData("brand=Acme|Apex Ltd", """{ "attribute": "brand", "anyOf": { "values": [ "Acme", "Apex Ltd" ] } }""")]
    [InlineData("brand!=Acme", """{ "attribute": "brand", "noneOf": { "values": [ "Acme" ] } }""")]
    [InlineData("a b=c=d", """{ "attribute": "a b", "anyOf": { "values": [ "c=d" ] } }""")]
    [InlineData("category=Beauty > Hair Care", """{ "attribute": "category", "anyOf": { "values": [ "Beauty \u003e Hair Care" ] } }""")]
    [InlineData("price<=20.5", """{ "attribute": "price", "number": { "max": 20.5 } }""")]
    [InlineData("stock>=1", """{ "attribute": "stock", "number": { "min": 1 } }""")]
    [InlineData("published>=2026-11-01", """{ "attribute": "published", "time": { "from": "2026-11-01T00:00:00Z" } }""")]
    [InlineData("published<=2026-11-01", """{ "attribute": "published", "time": { "until": "2026-11-01T00:00:00.000000100Z" } }""")]
    public void A_condition_is_read(string text, string expected) => Assert.Equal(expected, $"{ConditionText.Read(text)}");

    [Theory]
    [InlineData("brand")]
    [InlineData("=Acme")]
    [InlineData("brand=")]
    [InlineData("price<=1,5")]
    [InlineData("published>=1.11.2026")]
    public void What_is_no_condition_is_refused_with_an_example(string text)
    {
        var error = Assert.Throws<CatalogException>(() => ConditionText.Read(text));
        Assert.Equal(Fault.InvalidArgument, error.Fault);
        Assert.Contains(text, error.Message, StringComparison.Ordinal);
    }
}
