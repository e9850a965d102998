using System.CommandLine;
using Recsys.Server.Terminal;

namespace Recsys.Server.Verbs;

/// <summary>Every verb of the command line.</summary>
internal static class CommandTree
{
    public static RootCommand Create() => new("Recsys: semantic IDs, generative recommendations, item imagery.")
    {
        VerbRunner.JsonOption,
        DemoVerb.Create(),
        ImportVerb.Create(),
        EmbedVerb.Create(),
        RebuildVerb.Create(),
        EvalVerb.Create(),
        ServeVerb.Create(),
        RecommendVerb.Create(),
        EncodeVerb.Create(),
        CreativeVerb.Create(),
        VersionsVerb.Create(),
        JobsVerb.Create(),
        BenchVerb.Create(),
        DoctorVerb.Create(),
    };
}
