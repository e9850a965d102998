using System.Globalization;
using System.Net;
using System.Text;
using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Report;

/// <summary>Charts as inline SVG: the report needs no script and no network.</summary>
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
        var svg = Open(title, Height);
        for (int tick = 0; tick <= 4; tick++)
        {
            double value = minY + ((maxY - minY) * tick / 4);
            svg.Append(
                $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{N(Y(value))}\" y2=\"{N(Y(value))}\"/><text "
                + $"x=\"{Left - 6}\" y=\"{N(Y(value) + 4)}\" "
                + $"text-anchor=\"end\">{G(value)}</text>");
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

    /// <summary>Values with their intervals, one line each, on one axis that holds 0.</summary>
    public static string Intervals(string title, IEnumerable<(string Name, Metric Of)> values)
    {
        const int line = 18, names = 124;
        var rows = values.ToArray();
        double low = Math.Min(0, rows.Min(row => row.Of.Low)), high = Math.Max(0, rows.Max(row => row.Of.High));
        high = high > low ? high : 1; // all are 0
        int height = Top + (rows.Length * line) + Bottom;
        double X(double x) => names + ((x - low) / (high - low) * (Width - names - Right));
        var svg = Open(title, height);
        foreach (double tick in new[] { low, 0, high }.Distinct())
        {
            svg.Append(
                $"<line class=\"grid\" x1=\"{N(X(tick))}\" x2=\"{N(X(tick))}\" y1=\"{Top}\" y2=\"{height - Bottom}\"/><text "
                + $"x=\"{N(X(tick))}\" y=\"{height - 8}\" text-anchor=\"{(tick > 0 ? "end" : "middle")}\">{G(tick)}</text>");
        }

        foreach (var (at, (name, of)) in rows.Index())
        {
            double y = Top + ((at + 0.5) * line);
            svg.Append(
                $"<text x=\"{names - 8}\" y=\"{N(y + 4)}\" text-anchor=\"end\">{WebUtility.HtmlEncode(name)}</text>"
                + Dot(X(of.Value), y, X(of.Low), y, X(of.High), y, $"{name}: {G(of.Value)} ({G(of.Low)} to {G(of.High)})"));
        }

        return svg.Append("</svg></figure>").ToString();
    }

    /// <summary>Shares that were promised against those that were found, both on a logarithmic scale; on the diagonal they are
    /// equal.</summary>
    public static string Reliability(string title, IReadOnlyList<CalibrationBin> bins)
    {
        // Whole decades that hold every promise and every share found; a share of 0 lies on the lower edge.
        int from = (int)Math.Floor(Math.Log10(bins.SelectMany(bin => new[] { bin.Predicted, bin.Observed })
            .Where(share => share > 0).Append(0.1).Min()));
        double At(double share) => share <= 0 ? 0 : Math.Clamp(1 - (Math.Log10(share) / from), 0, 1);
        double X(double share) => Left + (At(share) * (Width - Left - Right));
        double Y(double share) => Height - Bottom - (At(share) * (Height - Top - Bottom));
        var svg = Open(title, Height);
        for (int decade = from; decade <= 0; decade++)
        {
            double share = Math.Pow(10, decade);
            svg.Append(
                $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{N(Y(share))}\" y2=\"{N(Y(share))}\"/>"
                + $"<text x=\"{Left - 6}\" y=\"{N(Y(share) + 4)}\" text-anchor=\"end\">{G(share)}</text>"
                + $"<text x=\"{N(X(share))}\" y=\"{Height - 8}\" text-anchor=\"middle\">{G(share)}</text>");
        }

        svg.Append($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Height - Bottom}\" y2=\"{Top}\"/>");
        foreach (var bin in bins)
        {
            svg.Append(Dot(
                X(bin.Predicted), Y(bin.Observed), X(bin.Predicted), Y(bin.Low), X(bin.Predicted), Y(bin.High),
                $"promised {G(bin.Predicted)}, found {G(bin.Observed)} ({G(bin.Low)} to {G(bin.High)}) of {bin.Answers} answers"));
        }

        return svg.Append("</svg></figure>").ToString();
    }

    private static StringBuilder Open(string title, int height) => new(
        $"<figure><figcaption>{WebUtility.HtmlEncode(title)}</figcaption><svg viewBox=\"0 0 {Width} {height}\" role=\"img\" "
        + $"aria-label=\"{WebUtility.HtmlEncode(title)}\">");

    private static string Dot(double x, double y, double x1, double y1, double x2, double y2, string says) =>
        $"<g><title>{WebUtility.HtmlEncode(says)}</title><line class=\"curve\" x1=\"{N(x1)}\" y1=\"{N(y1)}\" x2=\"{N(x2)}\" "
        + $"y2=\"{N(y2)}\"/><circle class=\"used\" cx=\"{N(x)}\" cy=\"{N(y)}\" r=\"3.5\"/></g>";

    private static string G(double value) => value.ToString("G3", CultureInfo.InvariantCulture);

    private static string N(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
