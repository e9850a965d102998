using Recsys.Diffusion.Recipes;
using Recsys.Diffusion.Training;

namespace Recsys.Diffusion.Metrics;

/// <summary>
/// Whether drawn pictures are of the items that were asked for: each is compared, pixel by pixel, with every picture of the catalogue.
/// </summary>
/// <param name="Top1">Share whose nearest picture is the item's own.</param>
/// <param name="Top5">Share with the item's own picture among the five nearest.</param>
/// <param name="RootMeanSquare">From the item's own picture, in grey levels of 0 to 255.</param>
/// <param name="Sample">Pictures drawn.</param>
public sealed record PixelRoundTrip(double Top1, double Top5, double RootMeanSquare, int Sample)
{
    private const int Batch = 16;

    /// <summary>Draws <paramref name="sample"/> items, evenly spread over the catalogue, with the recipe's own steps and
    /// guidance.</summary>
    /// <param name="seed">Of the first picture; the next has the next.</param>
    public static PixelRoundTrip Measure(
        CreativeModel model, CreativeTrainingData data, int sample, long seed, CancellationToken cancel = default)
    {
        var all = Enumerable.Range(0, data.Ids.Length).Where(i => data.Present[i]).ToArray();
        sample = Math.Min(sample, all.Length);
        var items = Enumerable.Range(0, sample).Select(i => all[(int)((long)i * all.Length / sample)]).ToArray();
        int first = 0, five = 0, stride = 3 * data.ImageSize * data.ImageSize;
        double distance = 0;
        for (int at = 0; at < sample; at += Batch)
        {
            var part = items.Skip(at).Take(Batch).ToArray();
            byte[] drawn = model.Draw(
                [.. part.Select(i => data.Ids[i])], [.. part.Select((_, i) => seed + at + i)], model.Recipe.SampleSteps,
                model.Recipe.Guidance, cancel: cancel);
            for (int i = 0; i < part.Length; i++)
            {
                byte[] planes = ToPlanes(drawn.AsSpan(i * stride, stride));
                long own = Squared(planes, data.Pixels.AsSpan(part[i] * stride, stride));
                int nearer = all.Count(other => other != part[i] && Squared(planes, data.Pixels.AsSpan(other * stride, stride)) < own);
                first += nearer == 0 ? 1 : 0;
                five += nearer < 5 ? 1 : 0;
                distance += Math.Sqrt((double)own / stride);
            }
        }

        return new PixelRoundTrip((double)first / sample, (double)five / sample, distance / sample, sample);
    }

    private static byte[] ToPlanes(ReadOnlySpan<byte> interleaved)
    {
        var planes = new byte[interleaved.Length];
        int plane = planes.Length / 3;
        for (int at = 0; at < planes.Length; at++)
        {
            planes[(at % 3 * plane) + (at / 3)] = interleaved[at];
        }

        return planes;
    }

    private static long Squared(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        long sum = 0;
        for (int at = 0; at < a.Length; at++)
        {
            int gap = a[at] - b[at];
            sum += gap * gap;
        }

        return sum;
    }
}
