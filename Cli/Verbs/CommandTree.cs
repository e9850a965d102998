using System.CommandLine;
using Recsys.Cli.Terminal;

namespace Recsys.Cli.Verbs;

/// <summary>Every verb of the command line.</summary>
internal static class CommandTree
{
    public static RootCommand Root { get; } = Create();

    /// <summary>Arguments are what they are: an item may be called <c>@red</c>, so there are no response files.</summary>
    public static ParseResult Parse(IReadOnlyList<string> arguments) =>
        Root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });

    private static RootCommand Create()
    {
        var root = new RootCommand("Recsys: semantic IDs, generative recommendations, item imagery.")
        {
            VerbRunner.JsonOption,
            DemoVerb.Create(),
            ImportVerb.Create(),
            EmbedVerb.Create(),
            RebuildVerb.Create(),
            EvalVerb.Create(),
            QuantizerVerb.Create(),
            ServeVerb.Create(),
            RecommendVerb.Create(),
            SimilarVerb.Create(),
            EncodeVerb.Create(),
            CreativeVerb.Create(),
            VersionsVerb.Create(),
            JobsVerb.Create(),
            BenchVerb.Create(),
            DoctorVerb.Create(),
        };
        StrictNumbers.Apply(root);
        return root;
    }
}
