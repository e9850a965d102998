using System.Xml.Linq;
using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Service;
using Recsys.Retrieval.Tests.Service;
using Recsys.V1;
using PathToken = Recsys.Catalog.Ports.PathToken;

namespace Recsys.Retrieval.Tests;

public class ExplanationTests
{
    private static readonly ItemTable Table = Tiny.Table(40, [6, 5, 4], 3);

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // collision tokens that the model does not know
    public void A_path_sums_to_what_the_leg_says_and_places_are_those_among_all_tokens(bool appended)
    {
        var table = appended ? Table.Append([new AppendedItem("new", Table.SemanticIds[5].WithCollision(900), "")]) : Table;
        using var first = new Recommender(Tiny.Model(Table, Tiny.Options, legs: [Tiny.Transitions(40, 1), Tiny.Dense(40, 1)]), Table);
        using var recommender = (Recommender)first.WithItems(table);
        int[] items = [3, 17, 5, table.Count - 1, 0];
        var query = new RecommendQuery([3, 17, 8], 10) { Exclude = [3] };
        var explained = recommender.Explain(query, items, default);
        Assert.Equal(items, explained.Select(one => one.Scored.Item));
        foreach (var one in explained)
        {
            Assert.Equal(one.Scored.Parts.Single(part => part.Leg == "generative").Value, one.Path[^1].Sum, 1e-4);
            Assert.Equal(one.Path.Sum(token => token.LogProbability), one.Path[^1].Sum, 1e-9);
            Assert.Equal(
                Enumerable.Range(0, 4).Select(depth => ItemTrie.Token(table.SemanticIds[one.Scored.Item], depth)),
                one.Path.Select(token => token.Token));
        }

        // Of items that differ in one code alone, the likelier has the smaller place.
        foreach (var pair in from a in explained from b in explained where a.Path[0].Token != b.Path[0].Token select (a, b))
        {
            Assert.Equal(pair.a.Path[0].LogProbability > pair.b.Path[0].LogProbability, pair.a.Path[0].Place < pair.b.Path[0].Place);
        }

        var whole = Enumerable.Range(0, Table.Count).ToArray();
        var firsts = recommender.Explain(query, whole, default).Select(one => one.Path[0]).DistinctBy(token => token.Token).ToArray();
        Assert.Equal(6, firsts.Length); // every code of the first level is in use
        Assert.Equal([1, 2, 3, 4, 5, 6], firsts.OrderByDescending(token => token.LogProbability).Select(token => token.Place));
        Assert.Equal(1, firsts.Sum(token => Math.Exp(token.LogProbability)), 1e-5);
        Assert.Empty(recommender.Explain(query, [], default));
    }

    [Fact]
    public async Task The_service_explains_the_answer_or_what_is_asked_for_with_all_reasons_and_a_tree()
    {
        var fake = new Fake();
        var request = new ExplainRequest { Request = new() { History = { "item1" } }, Picture = true };
        var answer = await fake.Service.Explain(request, new FakeContext());
        Assert.Equal(("v7", 2), (answer.Answer.Version, answer.Answer.Items.Count));
        Assert.Equal([("item3", 1u, -1.5), ("item4", 2u, -2.5)], answer.Items.Select(one => (one.Item.ItemId, one.Place, one.Item.Score)));
        Assert.All(answer.Items, one => Assert.Equal(
            ["item1", "item2", "item0", "item4"], one.Item.Reasons.Select(reason => reason.ItemId)));
        Assert.Equal(["item3", "item4"], answer.Tree.Where(node => node.ItemId.Length > 0).Select(node => node.ItemId).Order());
        foreach (var (at, node) in answer.Tree.Index())
        {
            Assert.InRange(node.Parent, -1, at - 1);
            Assert.Equal(node.Level, node.Parent < 0 ? 0 : answer.Tree[node.Parent].Level + 1);
        }

        var svg = XDocument.Parse(answer.TreeSvg);
        Assert.Equal(
            answer.Tree.Count(node => node.Parent >= 0), svg.Descendants().Count(element => element.Name.LocalName == "path"));

        request = new ExplainRequest { Request = new() { History = { "item1" } }, ItemIds = { "item0", "item3", "gone", "item0" } };
        answer = await fake.Service.Explain(request, new FakeContext());
        Assert.Equal([("item0", 0u, -9.0), ("item3", 1u, -1.5)], answer.Items.Select(one => (one.Item.ItemId, one.Place, one.Item.Score)));
        Assert.Equal("gone", Assert.Single(answer.UnknownItemIds));
        Assert.Empty(answer.TreeSvg);

        answer = await fake.Service.Explain(new ExplainRequest { Picture = true }, new FakeContext());
        Assert.Equal((Fallback.EmptyHistory, 0, 0), (answer.Answer.Fallback, answer.Items.Count, answer.Tree.Count));
        Assert.NotNull(XDocument.Parse(answer.TreeSvg).Root);
    }

    [Fact]
    public void Titles_with_marks_of_XML_or_too_long_ones_leave_a_picture()
    {
        var nodes = ExplanationTree.Of(
            [("a", [new PathToken(1, -1, -1, 2)]), ("b", [new PathToken(2, -20, -20, 1)])]);
        Assert.Equal(["a", "b"], nodes.Select(node => node.ItemId));
        string svg = ExplanationTree.Picture(nodes, new Dictionary<string, string> { ["a"] = "<b> & \"c\" " + new string('x', 60) });
        Assert.Contains("<b> & \"c\" xxx", XDocument.Parse(svg).Root!.Value, StringComparison.Ordinal);
    }
}
