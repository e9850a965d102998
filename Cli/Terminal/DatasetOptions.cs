using System.CommandLine;
using Recsys.Catalog;
using Recsys.Datasets;

namespace Recsys.Cli.Terminal;

/// <summary>How every verb that learns from a dataset opens it.</summary>
internal static class DatasetOptions
{
    public static readonly Option<bool> DropUnknown = VerbOption.Of<bool>(
        "--drop-unknown", "Pass over interactions and vectors of items that the items file lacks (delisted ones), and say how many.");

    public static readonly Option<bool> Events = VerbOption.Of<bool>(
        "--events", "First bring in what servers were told of interactions (Events/Record): it goes to events.jsonl in the dataset.");

    /// <summary>A call in flight may have noted its interactions so long ago, and wait for its turn to write them.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(1);

    /// <summary>Opens a dataset; where interactions were passed over, their number goes to standard error.</summary>
    public static Dataset Open(this ParseResult parsed, string path)
    {
        var dataset = Dataset.Open(path, parsed.GetValue(DropUnknown));
        if (parsed.GetValue(DropUnknown) && dataset.UnknownDropped > 0)
        {
            Console.Error.WriteLine(
                $"{dataset.UnknownDropped} interactions of items that are not in the items file were passed over (--drop-unknown).");
        }

        return dataset;
    }

    /// <summary>With <see cref="Events"/>: writes the interactions that were noted into the dataset.</summary>
    /// <param name="noted">From a moment on.</param>
    /// <returns>How many there are.</returns>
    public static int BringEvents(this ParseResult parsed, string dataset, Func<DateTimeOffset, IEnumerable<Interaction>> noted)
    {
        if (!parsed.GetValue(Events))
        {
            return 0;
        }

        var until = DateTimeOffset.UtcNow - Settled;
        int count = EventFile.Write(dataset, noted(DateTimeOffset.MinValue).Where(one => one.Noted <= until), until);
        Console.Error.WriteLine($"{count} interactions were told to servers until {until:u}.");
        return count;
    }
}
