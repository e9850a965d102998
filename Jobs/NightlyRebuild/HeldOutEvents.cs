using System.Text;
using System.Text.Json;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Datasets;
using Recsys.Files;

namespace Recsys.Jobs.NightlyRebuild;

/// <summary>
/// <c>unlearned.jsonl</c> of a version: of the users that servers were told of, the interactions that its model did not learn from because
/// the gates or <c>eval</c> judge by them. Servers learn them when they load the version; nothing that measures reads them.
/// </summary>
public static class HeldOutEvents
{
    private const string Name = "unlearned.jsonl";

    /// <summary>Items before an interaction that are written.</summary>
    private const int Before = 20;

    private sealed record Line(string User, string Item, string[] Before);

    /// <param name="learned">What the served model has learned from, user by user as in the dataset.</param>
    internal static void Write(IVersionWriter writer, Dataset dataset, SequenceSet learned)
    {
        var users = dataset.EventUsers;
        if (users.Count == 0)
        {
            return;
        }

        var all = dataset.Sequences;
        AtomicFile.Write(writer.PathOf(Name), stream =>
        {
            using var lines = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
            foreach (var (user, id) in all.Users.Index().Where(user => users.Contains(user.Item)))
            {
                string[] items = [.. all[user].ToArray().Select(item => dataset.ItemIds[item])];
                for (int at = learned[user].Length; at < items.Length; at++)
                {
                    lines.WriteLine(JsonSerializer.Serialize(new Line(id, items[at], items[Math.Max(0, at - Before)..at]), Json.Lines));
                }
            }
        });
    }

    /// <returns>Empty where the version has none.</returns>
    /// <exception cref="CatalogException">DataLoss: the file is damaged.</exception>
    public static IReadOnlyList<FollowedInteraction> Read(VersionFolder folder)
    {
        string path = folder.PathOf(Name);
        try
        {
            return !folder.Has(Name) ? [] :
            [
                .. File.ReadLines(path).Select(text => JsonSerializer.Deserialize<Line>(text, Json.Lines)!)
                    .Select(line => new FollowedInteraction(new Interaction(line.User, line.Item, default, default), line.Before)),
            ];
        }
        catch (JsonException error)
        {
            throw CatalogException.Damaged($"'{path}' is damaged: {error.Message} Activate another version, or rebuild.", error);
        }
    }
}
