using System.Text.RegularExpressions;
using Recsys.Catalog;
using Recsys.Jobs.NightlyRebuild;
using Recsys.Jobs.Scheduling;

namespace Recsys.Jobs.Tests;

public sealed partial class RebuildOptionsTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    [Fact]
    public void The_configuration_page_shows_a_file_that_is_accepted()
    {
        string page = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "configuration.md"));
        File.WriteAllText(_file, Example().Match(page).Groups[1].Value);
        Assert.Equal(new RebuildOptions().Seed, RebuildOptions.Read(_file).Seed);
    }

    [Theory]
    [InlineData("""{ "sead": 1 }""", "sead")]
    [InlineData("""{ "quantizer": { "kind": "k-nearest" } }""", "kind")]
    [InlineData("""{ "seed": "one" }""", "seed")]
    [InlineData("""{ "seed": 1""", "line 1")]
    [InlineData("""{ "gates": { "min_recall": 2 } }""", "gates.min_recall is 2, allowed is 0 to 1")]
    [InlineData("""{ "gates": { "max_recall_loss": -1 } }""", "gates.max_recall_loss is -1, allowed is 0 to 1")]
    [InlineData(
        """{ "embeddings": { "collaborative": { "singular_power": 3 } } }""",
        "embeddings.collaborative.singular_power is 3, allowed is 0 to 1")]
    [InlineData("""{ "embeddings": { "fit_all": true } }""", "fit_all")]
    [InlineData("""{ "quantizer": { "rq_vae": { "latent_dim": 0 } } }""", "quantizer.rq_vae.latent_dim is 0, allowed is 1 to 1024")]
    [InlineData("""{ "retrieval": { "dense_loss": 1 } }""", "dense_loss")]
    [InlineData("""{ "retrieval": { "transitions": { "window": 0 } } }""", "retrieval.transitions.window is 0, allowed is 1 to 1000")]
    [InlineData("""{ "retrieval": { "id": { "batch_items": 1 } } }""", "retrieval.id.batch_items is 1, allowed is 16 to 10000000")]
    [InlineData("""{ "retrieval": { "content": { "patience": 0 } } }""", "retrieval.content.patience is 0, allowed is 1 to 1000")]
    [InlineData("""{ "retrieval": { "generative": { "dim": 3 } } }""", "retrieval.generative.dim is 3, allowed is 1 to 8192, a multiple")]
    [InlineData(
        """{ "retrieval": { "weights": { "ids": 1 } } }""", "retrieval.weights is ids, allowed is transitions, id, content, generative")]
    [InlineData(
        """{ "retrieval": { "transitions": null, "id": null, "content": null, "generative": null } }""", "retrieval is without a leg")]
    [InlineData("""{ "creative": { "recipe": { "sample_steps": 0 } } }""", "creative.recipe.sample_steps is 0, allowed is 1 to 1000")]
    public void What_is_wrong_is_named(string json, string named)
    {
        File.WriteAllText(_file, json);
        var refused = Assert.Throws<CatalogException>(() => RebuildOptions.Read(_file));
        Assert.Equal(Fault.InvalidArgument, refused.Fault);
        Assert.Contains(named, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Faults_of_all_sections_are_named_at_once()
    {
        File.WriteAllText(_file, """
            { "device": "tpu", "embeddings": { "text": { "dim": 0 } }, "creative": { "steps": 0 }, "gates": { "users": 0 } }
            """);
        string message = Assert.Throws<CatalogException>(() => RebuildOptions.Read(_file)).Message;
        Assert.All(
            ["device is tpu", "embeddings.text.dim is 0", "creative.steps is 0", "gates.users is 0"],
            fault => Assert.Contains(fault, message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("every night")]
    [InlineData("0 3 * * *")] // five fields: Unix's, not Quartz's
    [InlineData("0 0 3 * * * 2020")] // past
    public async Task A_schedule_that_is_no_cron_expression_with_a_time_to_come_is_refused_at_once(string cron)
    {
        var refused = await Assert.ThrowsAsync<CatalogException>(
            () => NightlySchedule.RunAsync(cron, _ => null!, _ => { }, CancellationToken.None));
        Assert.Equal(Fault.InvalidArgument, refused.Fault);
        Assert.Contains($"'{cron}'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_schedule_runs_rebuilds_and_goes_on_after_one_failed()
    {
        using var stop = new CancellationTokenSource();
        int calls = 0;
        var lines = new List<string>();
        await NightlySchedule.RunAsync(
            "* * * * * *",
            _ =>
            {
                if (++calls == 2)
                {
                    stop.Cancel();
                }

                throw CatalogException.Unavailable("the disk is gone");
            },
            line =>
            {
                lock (lines)
                {
                    lines.Add(line);
                }
            },
            stop.Token);
        Assert.Equal(2, calls);
        Assert.Contains(lines, line => line.Contains("the disk is gone", StringComparison.Ordinal));
    }

    [Fact]
    public void A_long_curve_keeps_its_shape_in_few_points()
    {
        var recorder = new StageRecorder(null, TimeProvider.System);
        for (int step = 1; step <= 10_000; step++)
        {
            recorder.Report(new StageProgress("retrieval", step, 10_000, Metrics: new Dictionary<string, double> { ["loss"] = step }));
        }

        var curve = recorder.Curves["retrieval/loss"];
        Assert.InRange(curve.Count, 300, 600);
        Assert.All(curve, point => Assert.Equal(point.X, point.Y));
        Assert.Equal(1, curve[0].X);
        Assert.True(curve[^1].X > 9_900);
    }

    public void Dispose() => File.Delete(_file);

    [GeneratedRegex(@"```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
