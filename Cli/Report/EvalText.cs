using Recsys.Retrieval.Evaluation;

namespace Recsys.Cli.Report;

/// <summary>An evaluation for the terminal and as a page.</summary>
internal static class EvalText
{
    public static void Print(TextWriter output, EvalResult result)
    {
        Head(result).ForEach(output.WriteLine);
        foreach (var section in EvalSections.Of(result))
        {
            output.WriteLine();
            output.WriteLine(section.Title);
            var lines = section.Rows.Prepend(section.Header).ToArray();
            int[] widths = [.. section.Header.Select((_, at) => lines.Max(line => line[at].Length))];
            foreach (string[] line in lines)
            {
                var cells = line.Select(
                    (cell, at) => at == 0 || section.Header[at] == "who" ? cell.PadRight(widths[at]) : cell.PadLeft(widths[at]));
                output.WriteLine($"  {string.Join("  ", cells)}".TrimEnd());
            }

            if (section.Note.Length > 0)
            {
                output.WriteLine($"  {section.Note}");
            }
        }
    }

    public static string Html(EvalResult result)
    {
        var report = result.Report;
        var page = new ReportPage($"Evaluation: {result.Dataset}");
        page.Lead(
            $"The item that each of {report.Users:N0} users took {(report.Target == EvaluationTarget.Test ? "last" : "last but one")} was "
            + "kept from training. The model saw what came before it and ranked the whole catalogue. How often is the item among its ten?");
        page.Figures(report.Protocols.Select(one => (
            $"{one.Rows[EvaluationReport.SumName]["recall@10"] * 100:F2} %", $"recall@10, {one.Protocol.Name}",
            $"95 %: {EvalSections.Interval(one.Rows[EvaluationReport.SumName].Metrics["recall@10"])}; popularity alone has "
            + $"{EvalSections.Number(one.Rows["popularity"]["recall@10"])}.")));
        page.Note(string.Join("; ", Head(result)));
        foreach (var group in EvalSections.Of(result).GroupBy(section => section.Heading))
        {
            page.Heading(group.Key);
            page.Charts(group.Select(section => section.Chart));
            foreach (var section in group)
            {
                page.Paragraph(section.Title);
                page.Table(section.Header, section.Rows);
            }

            foreach (string note in group.Select(section => section.Note).Where(note => note.Length > 0).Distinct())
            {
                page.Note(note);
            }
        }

        return page.Html();
    }

    /// <summary>What every figure is of.</summary>
    private static List<string> Head(EvalResult result)
    {
        var report = result.Report;
        return
        [
            $"{result.Dataset}, version {result.Version} (trained with seed {result.TrainingSeed}): {report.Users} users, "
            + $"{(report.Target == EvaluationTarget.Test ? "test" : "validation")} targets, item level, full ranking, ties by item number, "
            + $"cold targets ranked, beam {report.Beam}, seed {report.Seed}",
            $"split sha256 {report.SplitSha256}",
            $"the sum: {report.Sum.Summary}",
            $"invalid {report.Invalid}, duplicates {report.Duplicates}",
        ];
    }
}
