using System.Net;
using System.Text;

namespace Recsys.Cli.Report;

/// <summary>Builds one self-contained HTML page section by section: pictures are data URIs, charts are SVG, no script.</summary>
internal sealed class ReportPage(string title)
{
    private readonly StringBuilder _body = new();

    public ReportPage Lead(string text) => Raw($"<p class=\"lead\">{Text(text)}</p>");

    public ReportPage Heading(string text) => Raw($"<h2>{Text(text)}</h2>");

    public ReportPage Paragraph(string text) => Raw($"<p>{Text(text)}</p>");

    public ReportPage Note(string text) => Raw($"<p class=\"muted\">{Text(text)}</p>");

    public ReportPage Charts(IEnumerable<string> charts) => Raw($"<div class=\"charts\">{string.Concat(charts)}</div>");

    public ReportPage Table(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        _body.Append("<table><thead><tr>").AppendJoin("", header.Select(cell => $"<th>{Text(cell)}</th>")).Append("</tr></thead><tbody>");
        foreach (var row in rows)
        {
            _body.Append("<tr>").AppendJoin("", row.Select(cell => $"<td>{Text(cell)}</td>")).Append("</tr>");
        }

        return Raw("</tbody></table>");
    }

    /// <summary>The figures that matter, large, each with a sentence that says what it is.</summary>
    public ReportPage Figures(IEnumerable<(string Value, string Name, string Meaning)> figures) =>
        Raw($"<div class=\"figures\">{string.Concat(figures.Select(Card))}</div>");

    /// <summary>A row of captioned pictures; the first words of a caption stand under the picture.</summary>
    public ReportPage Pictures(string label, IEnumerable<Tile> tiles)
    {
        _body.Append($"<div class=\"strip\"><span class=\"label\">{Text(label)}</span><div class=\"tiles\">");
        foreach (var tile in tiles)
        {
            string picture = tile.Png is null
                ? "<span class=\"blank\"></span>"
                : $"<img alt=\"{Text(tile.Caption)}\" src=\"data:{Mime(tile.Png)};base64,{Convert.ToBase64String(tile.Png)}\">";
            _body.Append(
                $"<span class=\"tile{(tile.Marked ? " hit" : "")}\" "
                + $"title=\"{Text(tile.Hint)}\">{picture}<b>{Text(tile.Caption)}</b><i>{Text(tile.Detail)}</i></span>");
        }

        return Raw("</div></div>");
    }

    public string Html() => $$"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{{Text(title)}}</title>
        <style>
        :root { color-scheme: light dark; --ink:#1c2430; --soft:#5b6675; --line:#dfe3e8; --page:#ffffff; --card:#f6f7f9;
          --accent:#2f6fdb; --hit:#1f9d55 }
        @media (prefers-color-scheme: dark) {
          :root { --ink:#e6e9ee; --soft:#98a2b0; --line:#313945; --page:#14181e; --card:#1c222b; --accent:#6ea2ff; --hit:#4cc784 } }
        body { font:15px/1.5 system-ui, sans-serif; color:var(--ink); background:var(--page); max-width:1120px; margin:0 auto;
          padding:32px 20px 80px }
        h1 { font-size:30px; margin:0 0 4px }
        h2 { font-size:20px; margin:44px 0 8px; border-top:1px solid var(--line); padding-top:24px }
        p { max-width:85ch } .lead { font-size:17px; color:var(--soft); max-width:75ch }
        .muted { color:var(--soft); font-size:13px; max-width:90ch }
        table { border-collapse:collapse; margin:12px 0; font-variant-numeric:tabular-nums }
        th,td { padding:6px 16px 6px 0; text-align:left; border-bottom:1px solid var(--line); vertical-align:top }
        th { color:var(--soft); font-weight:500; font-size:13px }
        .figures { display:grid; grid-template-columns:repeat(auto-fit,minmax(210px,1fr)); gap:16px; margin:16px 0 }
        .figures div { background:var(--card); border-radius:10px; padding:14px 16px } .figures b { display:block; font-size:28px }
        .figures i { display:block; font-style:normal; font-weight:600 } .figures span { color:var(--soft); font-size:13px }
        .charts { display:grid; grid-template-columns:repeat(auto-fill,minmax(300px,1fr)); gap:16px }
        figure { margin:0; background:var(--card); border-radius:10px; padding:12px }
        figcaption { font-size:13px; color:var(--soft); margin-bottom:6px }
        svg { width:100%; height:auto; display:block } svg text { font-size:10px; fill:var(--soft) } .grid { stroke:var(--line) }
        .curve { fill:none; stroke:var(--accent); stroke-width:1.8 } .used { fill:var(--accent) } .dead { fill:none; stroke:var(--line) }
        .strip { display:grid; grid-template-columns:96px 1fr; gap:8px; margin:10px 0 }
        .label { color:var(--soft); font-size:13px; padding-top:18px } .tiles { display:flex; flex-wrap:wrap; gap:8px }
        .tile { width:84px; box-sizing:border-box; background:var(--card); border-radius:10px; padding:8px 4px; text-align:center;
          border:2px solid transparent; overflow:hidden } .tile.hit { border-color:var(--hit) }
        .tile img, .blank { width:56px; height:56px; object-fit:contain; background:#fff; border-radius:6px; display:inline-block }
        .tile b { display:block; font-size:11px; font-weight:500; line-height:1.25; margin-top:4px; overflow:hidden; max-height:28px }
        .tile i { display:block; font-style:normal; font-size:11px; color:var(--soft) }
        </style></head><body><h1>{{Text(title)}}</h1>
        {{_body}}
        </body></html>
        """;

    private ReportPage Raw(string html)
    {
        _body.Append(html).Append('\n');
        return this;
    }

    private static string Card((string Value, string Name, string Meaning) figure) =>
        $"<div><b>{Text(figure.Value)}</b><i>{Text(figure.Name)}</i><span>{Text(figure.Meaning)}</span></div>";

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Mime(byte[] file) => file.Length > 2 && file[0] == 0xFF && file[1] == 0xD8 ? "image/jpeg" : "image/png";
}

/// <param name="Png">PNG or JPEG bytes; null draws an empty frame.</param>
/// <param name="Marked">Framed, as the item that was really next.</param>
internal sealed record Tile(byte[]? Png, string Caption, string Detail = "", string Hint = "", bool Marked = false);
