using System.Diagnostics;
using System.Reflection;
using Recsys.Bench;
using Recsys.Torch;

// One case a line on standard input, its milliseconds on standard output: the parent sets the order, so that rounds interleave.
torch.set_num_threads(Environment.ProcessorCount);
var work = new Dictionary<string, Func<double>>();
while (Console.ReadLine() is { } name)
{
    if (!work.TryGetValue(name, out var run))
    {
        work[name] = run = Make(name);
        run(); // warm
    }

    Console.WriteLine(run().ToString("R", System.Globalization.CultureInfo.InvariantCulture));
}

static Func<double> Make(string name) => name switch
{
    "decoder" => Platform("TrainingStep", true),
    "dit-training" => Platform("DiTTraining", true),
    "dit-sampling" => Platform("DiTSampling", true),
    "adamw" => Platform("AdamWStep"),
    "creative-step" => () => Workloads.CreativeStep(),
    "creative-drawing" => Workloads.CreativeDrawing(),
    "beam" => Workloads.BeamSearch(),
    _ => throw new ArgumentException($"no case '{name}'"),
};

// The earlier build's own bench had these, as private methods that give an action.
static Func<double> Platform(string method, params object[] arguments)
{
    var bench = Assembly.Load("recsys").GetType("Recsys.Server.Bench.PlatformBench")!;
    var action = (Action)bench.GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!.Invoke(null, arguments)!;
    return () =>
    {
        long started = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    };
}
