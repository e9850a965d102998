using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Recsys.Catalog;

namespace Recsys.Cli.Report;

/// <summary>Published figures as a Markdown table, from saved outputs of <c>eval --json</c>.</summary>
internal static class FigureTable
{
    private const string Begin = "<!-- figures: ./recsys eval table -->", End = "<!-- end of figures -->";

    private static readonly string[] Metrics = ["recall@5", "ndcg@5", "recall@10", "ndcg@10"];
    private static readonly string[] Beside = ["transitions", "popularity", "co_occurrence", "item_knn"];

    /// <summary>Student's t at 97.5 % for 1 to 10 degrees of freedom.</summary>
    private static readonly double[] Student = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

    private sealed record Result(string Figure, string Split, long Seed, int Users, JsonObject Protocols);

    /// <summary>
    /// One row a figure and protocol. What stands before the first dot of a file's name is the figure, and the name of its configuration:
    /// <c>beauty.17.json</c> and <c>beauty.18.json</c> are two seeds of <c>configs/beauty.json</c>.
    /// </summary>
    /// <exception cref="CatalogException">A file that is no such output, or files of one figure that are of several splits or share a
    /// seed.</exception>
    public static string Markdown(IEnumerable<string> files)
    {
        var lines = new List<string>
        {
            "| figure | protocol | seeds | users | R@5 | N@5 | R@10 | 95 % over users | over seeds | N@10 | "
            + string.Join(" | ", Beside.Select(name => $"{name.Replace('_', ' ')} R@10")) + " |",
            string.Concat(Enumerable.Repeat("|---", 10 + Beside.Length)) + "|",
        };
        foreach (var figure in files.Order(StringComparer.Ordinal).Select(Read).GroupBy(result => result.Figure))
        {
            var results = figure.ToArray();
            if (results.DistinctBy(result => (result.Split, result.Users)).Count() > 1
                || results.DistinctBy(result => result.Seed).Count() < results.Length)
            {
                throw CatalogException.Invalid(
                    $"Results of '{figure.Key}' must be of one split, of the same number of users, and each of a training seed of its own; "
                    + $"these are {string.Join(", ", results.Select(r => $"seed {r.Seed} with {r.Users} users of {r.Split[..8]}"))}.");
            }

            lines.AddRange(results.SelectMany(result => result.Protocols.Select(protocol => protocol.Key)).Distinct()
                .Select(protocol => Row(protocol, [.. results.Where(result => result.Protocols[protocol] is not null)])));
        }

        return string.Join('\n', lines) + "\n\nFigures are means over the seeds. Intervals of R@10: bootstrap over users, the mean of the "
            + "seeds'; and over seeds (Student's t).\n";
    }

    /// <summary>A page with the table between its two markers.</summary>
    /// <exception cref="CatalogException">The page has no such markers.</exception>
    public static string Into(string page, string table)
    {
        int begin = page.IndexOf(Begin, StringComparison.Ordinal), end = page.IndexOf(End, StringComparison.Ordinal);
        return begin >= 0 && end > begin
            ? $"{page[..(begin + Begin.Length)]}\n{table}{page[end..]}"
            : throw CatalogException.Invalid($"The page has no line '{Begin}' with '{End}' after it: write them where the table goes.");
    }

    private static string Row(string protocol, Result[] results)
    {
        double[] Of(string row, string metric) =>
            [.. results.Select(result => (double?)result.Protocols[protocol]?[row]?[metric]).OfType<double>()];
        string Mean(string row, string metric) => Of(row, metric) is { Length: > 0 } values ? Short(values.Average()) : "–";
        double End(int end) => results.Average(result => (double)result.Protocols[protocol]!["sum"]!["interval"]![end]!);
        string[] cells =
        [
            $"[{results[0].Figure}](configs/{results[0].Figure}.json)", $"`{protocol}`", $"{results.Length}", $"{results[0].Users}",
            .. Metrics.Take(3).Select(metric => Mean("sum", metric)), $"{Short(End(0))} to {Short(End(1))}",
            OverSeeds(Of("sum", "recall@10")),
            Mean("sum", Metrics[3]), .. Beside.Select(name => Mean(name, "recall@10")),
        ];
        return $"| {string.Join(" | ", cells)} |";
    }

    private static string OverSeeds(double[] values)
    {
        if (values.Length < 2)
        {
            return "–";
        }

        double mean = values.Average(), variance = values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1);
        double half = Student[Math.Min(values.Length - 1, Student.Length) - 1] * Math.Sqrt(variance / values.Length);
        return $"{Short(mean - half)} to {Short(mean + half)}";
    }

    private static Result Read(string file)
    {
        try
        {
            var json = JsonNode.Parse(File.ReadAllText(file))!;
            return (string)json["target"]! == "test"
                ? new Result(
                    Path.GetFileName(file).Split('.')[0], (string)json["split_sha256"]!, (long)json["training_seed"]!, (int)json["users"]!,
                    json["protocols"]!.AsObject())
                : throw CatalogException.Invalid($"'{file}' is of validation targets, which chose the model: no figure to publish.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or ArgumentNullException)
        {
            throw CatalogException.Invalid($"'{file}' is no output of ./recsys eval --json: {e.Message}", e);
        }
    }

    private static string Short(double value) => value.ToString("F4", CultureInfo.InvariantCulture).TrimStart('0');
}
