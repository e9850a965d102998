using Recsys.Catalog;

namespace Recsys.Jobs.NightlyRebuild;

/// <summary>Times each stage and keeps its curves while it passes progress on.</summary>
public sealed class StageRecorder(IProgress<StageProgress>? next, TimeProvider time) : IProgress<StageProgress>
{
    /// <summary>Points of one curve; beyond it every second point is dropped, so a long training keeps its shape in a small file.</summary>
    private const int MaxPoints = 600;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<CurvePoint>> _curves = [];
    private readonly List<StageTime> _times = [];

    /// <summary>[stage/metric] in order of steps.</summary>
    public IReadOnlyDictionary<string, List<CurvePoint>> Curves => _curves;

    public IReadOnlyList<StageTime> Times => _times;

    public void Report(StageProgress value)
    {
        lock (_gate)
        {
            foreach (var (name, number) in value.Metrics ?? new Dictionary<string, double>())
            {
                string key = value.Stage + "/" + name;
                if (!_curves.TryGetValue(key, out var curve))
                {
                    _curves[key] = curve = [];
                }

                curve.Add(new CurvePoint(value.Done, number));
                if (curve.Count > MaxPoints)
                {
                    int index = 0;
                    curve.RemoveAll(_ => index++ % 2 == 1);
                }
            }
        }

        next?.Report(value);
    }

    /// <summary>This recorder for a step whose stages have names that another step's have too.</summary>
    /// <param name="prefix">Before each name.</param>
    public IProgress<StageProgress> Named(string prefix) => new Prefixed(this, prefix);

    /// <summary>Runs one stage and notes how long it took.</summary>
    public T Time<T>(string stage, Func<T> run)
    {
        long started = time.GetTimestamp();
        var result = run();
        _times.Add(new StageTime(stage, time.GetElapsedTime(started).TotalSeconds));
        return result;
    }

    private sealed class Prefixed(StageRecorder recorder, string prefix) : IProgress<StageProgress>
    {
        public void Report(StageProgress value) => recorder.Report(value with { Stage = prefix + value.Stage });
    }
}

/// <param name="X">Step.</param>
public sealed record CurvePoint(double X, double Y);

public sealed record StageTime(string Stage, double Seconds);
