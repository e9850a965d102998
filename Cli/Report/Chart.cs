using System.Globalization;
using System.Net;
using System.Text;

namespace Recsys.Cli.Report;

/// <summary>Line and heat-map charts as inline SVG: the report needs no script and no network.</summary>
internal static class Chart
{
    private const int Width = 360, Height = 200, Left = 46, Bottom = 26, Top = 12, Right = 12;

    /// <summary>A curve of values over steps.</summary>
    public static string Line(string title, string unit, IReadOnlyList<(double X, double Y)> points)
    {
        if (points.Count == 0)
        {
            return $"<p class=\"muted\">{WebUtility.HtmlEncode(title)}: no curve.</p>";
        }

        double maxX = Math.Max(1, points.Max(point => point.X)), minY = points.Min(point => point.Y), maxY = points.Max(point => point.Y);
        if (maxY - minY < 1e-12)
        {
            maxY = minY + 1;
        }

        double X(double x) => Left + (x / maxX * (Width - Left - Right));
        double Y(double y) => Top + ((maxY - y) / (maxY - minY) * (Height - Top - Bottom));
        var svg = new StringBuilder(
            $"<figure><figcaption>{WebUtility.HtmlEncode(title)}</figcaption><svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" "
            + $"aria-label=\"{WebUtility.HtmlEncode(title)}\">");
        for (int tick = 0; tick <= 4; tick++)
        {
            double value = minY + ((maxY - minY) * tick / 4);
            svg.Append(
                $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{N(Y(value))}\" y2=\"{N(Y(value))}\"/><text "
                + $"x=\"{Left - 6}\" y=\"{N(Y(value) + 4)}\" "
                + $"text-anchor=\"end\">{value.ToString("G3", CultureInfo.InvariantCulture)}</text>");
        }

        svg.Append("<polyline class=\"curve\" points=\"");
        foreach (var (x, y) in points)
        {
            svg.Append(N(X(x))).Append(',').Append(N(Y(y))).Append(' ');
        }

        svg.Append(
            $"\"/><text x=\"{Left}\" y=\"{Height - 8}\">0</text><text x=\"{Width - Right}\" y=\"{Height - 8}\" "
            + $"text-anchor=\"end\">{N(maxX)} {WebUtility.HtmlEncode(unit)}</text></svg></figure>");
        return svg.ToString();
    }

    /// <summary>How often each code of a level is used: one cell a code, darker is more often, hollow is never.</summary>
    public static string Usage(string title, IReadOnlyList<int> counts)
    {
        const int cell = 14;
        int columns = Math.Max(1, (int)Math.Ceiling(Math.Sqrt(counts.Count * 2.0))), rows = (counts.Count + columns - 1) / columns;
        int most = Math.Max(1, counts.DefaultIfEmpty(0).Max());
        var svg = new StringBuilder(
            $"<figure><figcaption>{WebUtility.HtmlEncode(title)}</figcaption><svg viewBox=\"0 0 {columns * cell} {rows * cell}\" "
            + "role=\"img\">");
        for (int code = 0; code < counts.Count; code++)
        {
            double share = Math.Sqrt((double)counts[code] / most);
            string look = counts[code] == 0
                ? "class=\"dead\""
                : $"class=\"used\" fill-opacity=\"{(0.12 + (0.88 * share)).ToString("F2", CultureInfo.InvariantCulture)}\"";
            svg.Append(
                $"<rect {look} x=\"{(code % columns * cell) + 1}\" y=\"{(code / columns * cell) + 1}\" width=\"{cell - 2}\" "
                + $"height=\"{cell - 2}\" rx=\"2\"><title>code {code}: {counts[code]} items</title></rect>");
        }

        return svg.Append("</svg></figure>").ToString();
    }

    private static string N(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
