using System.Text.Json;
using Recsys.Bench;
using Recsys.Torch.Kernels;

namespace Recsys.Integration.Tests;

[Collection(WorldCollection.Name)]
public sealed class ServingBenchTests(World world)
{
    [Fact]
    public async Task A_version_is_asked_in_process_and_by_clients_of_a_server()
    {
        var (code, output, error) = await Cli.HereAsync(
            "bench", "serving", "--data", world.Data, "--versions", world.Versions, "--rounds", "1", "--seconds", "1", "--json");
        Assert.True(code == 0, error);
        var cases = JsonDocument.Parse(output).RootElement.GetProperty("cases").EnumerateArray().ToList();
        var timed = cases.Where(measured => measured.GetProperty("unit").GetString() == "ms").ToList();
        Assert.Equal(10, timed.Count);
        Assert.Equal(PackedLinear.HasBFloat16 ? 11 : 10, cases.Count);
        Assert.All(cases.Except(timed), measured => Assert.InRange(measured.GetProperty("ours").GetDouble(), 0, 1e3));
        Assert.Equal(2, cases.Count(measured => measured.GetProperty("peer_name").GetString() == "plain TorchSharp"));
        Assert.All(timed, measured => Assert.InRange(measured.GetProperty("ours").GetDouble(), 1e-3, 1e4));
        Assert.Contains("requests a second", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_catalogue_is_made_up_and_asked_the_same()
    {
        var (code, output, error) = await Cli.HereAsync("bench", "serving", "--items", "1000", "--rounds", "1", "--seconds", "1", "--json");
        Assert.True(code == 0, error);
        var cases = JsonDocument.Parse(output).RootElement.GetProperty("cases").EnumerateArray().ToList();
        Assert.Equal(8, cases.Count(measured => measured.GetProperty("unit").GetString() == "ms"));
        var memory = cases.Where(measured => measured.GetProperty("unit").GetString() == "MB").ToList();
        Assert.Equal(2, memory.Count);
        Assert.All(memory, measured => Assert.InRange(measured.GetProperty("ours").GetDouble(), 50, 5000));
    }

    [Theory]
    [InlineData("allowed are 1000 to 2000000", "--items", "999")]
    [InlineData("Give --data with the dataset of the active version, or --items")]
    [InlineData("Give --data with the dataset of the active version, or --items", "--items", "1000", "--data", "ds")]
    public async Task What_is_asked_must_be_one_of_both(string message, params string[] given)
    {
        var (code, _, error) = await Cli.HereAsync(["bench", "serving", .. given]);
        Assert.Equal(3, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0", "1")]
    [InlineData("1", "0.5")]
    public async Task Loads_out_of_range_are_refused(string rounds, string seconds)
    {
        var (code, _, error) = await Cli.HereAsync(
            "bench", "serving", "--data", world.Data, "--versions", world.Versions, "--rounds", rounds, "--seconds", seconds);
        Assert.Equal(3, code);
        Assert.Contains("allowed are 1 to 100 rounds of 1 to 600 seconds", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_quantile_is_the_smallest_time_that_its_share_does_not_exceed()
    {
        var load = new ServingLoad([.. Enumerable.Range(1, 200).Select(i => (double)i)], 1);
        Assert.Equal((100, 198, 200, 1), (load.Quantile(0.5), load.Quantile(0.99), load.Quantile(1), load.Quantile(0)));
        Assert.Equal(7, new ServingLoad([7], 1).Quantile(0.99));
    }

    [Fact]
    public async Task A_closed_loop_has_so_many_calls_at_once_and_an_open_one_as_many_as_come()
    {
        var (here, most, gate, three) = (0, 0, new Lock(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        async Task Call(int number)
        {
            lock (gate)
            {
                most = Math.Max(most, ++here);
                if (here == 3)
                {
                    three.TrySetResult();
                }
            }

            await three.Task.WaitAsync(TimeSpan.FromMinutes(1)); // however late a busy machine begins its clients
            await Task.Delay(50);
            lock (gate)
            {
                here--;
            }
        }

        var closed = await ServingLoad.Closed(Call, 3, TimeSpan.FromMilliseconds(400), default);
        Assert.Equal(3, most);
        Assert.True(closed.Quantile(0) >= 45, $"{closed.Quantile(0)} ms");
        most = 0;
        var open = await ServingLoad.Open(Call, 2000, TimeSpan.FromMilliseconds(200), new Random(1), default);
        Assert.InRange(open.Milliseconds.Length, 300, 500); // 400 expected
        Assert.True(most > 3, $"{most} at once");
    }
}
