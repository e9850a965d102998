using System.CommandLine;
using Recsys.Datasets;

namespace Recsys.Cli.Terminal;

/// <summary>How every verb that learns from a dataset opens it.</summary>
internal static class DatasetOptions
{
    public static readonly Option<bool> DropUnknown = VerbOption.Of<bool>(
        "--drop-unknown", "Pass over interactions and vectors of items that the items file lacks (delisted ones), and say how many.");

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
}
