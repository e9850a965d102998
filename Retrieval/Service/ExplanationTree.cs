using System.Globalization;
using System.Net;
using System.Text;
using Recsys.V1;
using PathToken = Recsys.Catalog.Ports.PathToken;

namespace Recsys.Retrieval.Service;

/// <summary>The prefixes that lead to explained items, as one tree, and its picture.</summary>
internal static class ExplanationTree
{
    private const int Row = 22, Column = 220, Left = 16, Top = 40, TitleWidth = 320, MaxTitle = 44;

    /// <summary>A node for each distinct prefix, a parent before its children, the likelier children first.</summary>
    public static List<TreeNode> Of(IReadOnlyList<(string ItemId, IReadOnlyList<PathToken> Path)> items)
    {
        var nodes = new List<TreeNode>();
        Add(nodes, -1, 0, items);
        return nodes;
    }

    private static void Add(
        List<TreeNode> nodes, int parent, int depth, IEnumerable<(string ItemId, IReadOnlyList<PathToken> Path)> items)
    {
        var children = items.Where(item => item.Path.Count > depth).GroupBy(item => item.Path[depth].Token)
            .OrderByDescending(group => group.First().Path[depth].Sum).ThenBy(group => group.Key);
        foreach (var child in children)
        {
            var (id, path) = child.First();
            var token = path[depth];
            nodes.Add(new TreeNode
            {
                Parent = parent, Level = (uint)depth, Token = (uint)token.Token, LogProbability = token.Sum, Place = (uint)token.Place,
                ItemId = path.Count == depth + 1 ? id : "",
            });
            Add(nodes, nodes.Count - 1, depth + 1, child);
        }
    }

    /// <summary>The tree as SVG: from the left the levels, each prefix with its code, its probability and its place among the codes; at the
    /// leaves the items.</summary>
    /// <param name="titles">By item id.</param>
    public static string Picture(IReadOnlyList<TreeNode> nodes, IReadOnlyDictionary<string, string> titles)
    {
        int depths = nodes.Count == 0 ? 0 : (int)nodes.Max(node => node.Level) + 1, leaves = nodes.Count(node => node.ItemId.Length > 0);
        var (width, height) = (Left + (depths * Column) + TitleWidth, Top + (leaves * Row) + 12);
        double[] y = Heights(nodes);
        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" "
            + $"font-family=\"system-ui, sans-serif\" font-size=\"12\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
        for (int depth = 0; depth < depths; depth++)
        {
            string name = depth == depths - 1 ? "collision token" : Text($"code {depth + 1}");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left + (depth * Column)}\" y=\"18\" fill=\"#666\">{name}</text>");
        }

        foreach (var (at, node) in nodes.Index())
        {
            double x = Left + (node.Level * Column), share = Math.Exp(node.LogProbability);
            if (node.Parent >= 0)
            {
                double from = x - Column + 148, turn = x - 40, thickness = Math.Max(.6, 8 * Math.Sqrt(share));
                svg.Append(
                    CultureInfo.InvariantCulture,
                    $"<path d=\"M{from:F0} {y[node.Parent]:F1} C{turn:F0} {y[node.Parent]:F1} {turn:F0} {y[at]:F1} {x - 6:F0} {y[at]:F1}\" "
                    + $"fill=\"none\" stroke=\"#3b6fb6\" stroke-opacity=\".55\" stroke-width=\"{thickness:F2}\"/>");
            }

            svg.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{x:F0}\" y=\"{y[at] + 4:F1}\"><tspan font-weight=\"600\">{node.Token}</tspan> <tspan fill=\"#666\">"
                + $"{Percent(share)}, place {node.Place}</tspan></text>");
            if (node.ItemId.Length > 0)
            {
                string title = titles.GetValueOrDefault(node.ItemId) is { Length: > 0 } known ? known : node.ItemId;
                int length = MaxTitle - (title.Length > MaxTitle && char.IsHighSurrogate(title[MaxTitle - 1]) ? 1 : 0);
                title = title.Length <= MaxTitle ? title : title[..length] + "…";
                svg.Append(
                    CultureInfo.InvariantCulture,
                    $"<text x=\"{x + Column - 50:F0}\" y=\"{y[at] + 4:F1}\">{WebUtility.HtmlEncode(title)}</text>");
            }
        }

        return svg.Append("</svg>").ToString();
    }

    /// <summary>Leaves one below the other, every other node in the middle of its children.</summary>
    private static double[] Heights(IReadOnlyList<TreeNode> nodes)
    {
        var y = new double[nodes.Count];
        int leaf = 0;
        foreach (var (at, _) in nodes.Index().Where(node => node.Item.ItemId.Length > 0))
        {
            y[at] = Top + (leaf++ * Row);
        }

        for (int at = nodes.Count - 1; at >= 0; at--)
        {
            if (nodes[at].ItemId.Length == 0)
            {
                double[] children = [.. nodes.Index().Where(node => node.Item.Parent == at).Select(node => y[node.Index])];
                y[at] = (children[0] + children[^1]) / 2;
            }
        }

        return y;
    }

    private static string Percent(double share) => share >= 5e-7 ? Text($"{100 * share:0.####} %") : "under 0.0001 %";

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
