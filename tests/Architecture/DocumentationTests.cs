namespace Recsys.Architecture.Tests;

/// <summary>The pages as they are written: what a careless paste breaks.</summary>
public sealed class DocumentationTests
{
    public static TheoryData<string> Pages() => new(
        Directory.GetFiles(Path.Combine(RepositoryRoot.Path, "docs"), "*.md")
            .Append(Path.Combine(RepositoryRoot.Path, "README.md")).Append(Path.Combine(RepositoryRoot.Path, "configs", "README.md"))
            .Append(Path.Combine(RepositoryRoot.Path, "Datasets", "README.md"))
            .Select(path => Path.GetRelativePath(RepositoryRoot.Path, path)));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Code_is_closed_on_its_line_and_a_heading_has_a_line_of_its_own(string page)
    {
        bool fenced = false;
        var faults = new List<string>();
        foreach (var (index, line) in File.ReadLines(Path.Combine(RepositoryRoot.Path, page)).Index())
        {
            if (line.TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                fenced = !fenced;
            }
            else if (!fenced
                && (line.Count(letter => letter == '`') % 2 == 1 || line.TrimStart('#').Contains("## ", StringComparison.Ordinal)))
            {
                faults.Add($"{page}:{index + 1}: {line}");
            }
        }

        Assert.Empty(faults);
        Assert.False(fenced, $"{page} ends in code.");
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_link_to_a_file_or_heading_of_ours_leads_somewhere(string page)
    {
        string folder = Path.GetDirectoryName(Path.Combine(RepositoryRoot.Path, page))!;
        var lost = new List<string>();
        string text = File.ReadAllText(Path.Combine(RepositoryRoot.Path, page));
        foreach (var link in System.Text.RegularExpressions.Regex.Matches(text, @"\]\(([^)\s]+)\)")
            .Select(match => match.Groups[1].Value).Where(link => !link.Contains("://", StringComparison.Ordinal)))
        {
            string[] parts = link.Split('#');
            string path = parts[0].Length == 0 ? Path.Combine(RepositoryRoot.Path, page) : Path.Combine(folder, parts[0]);
            if (!Path.Exists(path) || (parts.Length == 2 && !Headings(path).Contains(parts[1])))
            {
                lost.Add($"{page}: {link}");
            }
        }

        Assert.Empty(lost);
    }

    /// <summary>As GitHub makes anchors of them.</summary>
    private static HashSet<string> Headings(string path) => [.. File.ReadLines(path).Where(line => line.StartsWith('#'))
        .Select(line => string.Concat(line.TrimStart('#').Trim().ToLowerInvariant()
            .Where(letter => char.IsLetterOrDigit(letter) || letter is ' ' or '-' or '_')).Replace(' ', '-'))];
}
