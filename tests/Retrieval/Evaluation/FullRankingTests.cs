using Recsys.Retrieval.Evaluation;

namespace Recsys.Retrieval.Tests.Evaluation;

public class FullRankingTests
{
    [Fact]
    public void Places_are_those_of_a_sort_under_both_conventions()
    {
        var random = new Random(6);
        int repeated = 0;
        for (int round = 0; round < 1000; round++)
        {
            int items = 1 + random.Next(20);
            float[] scores = [.. Enumerable.Range(0, items).Select(_ => random.Next(6) switch
            {
                0 => float.NaN,
                1 => float.NegativeInfinity,
                int value => value / 3f,
            })];
            int[] history = [.. Enumerable.Range(0, random.Next(8)).Select(_ => random.Next(items + 3))]; // repeats, and appended ones
            int target = random.Next(items + 2);
            float repeat = random.Next(-2, 2) / 3f;
            float Score(int item) => scores[item] + (history.Contains(item) ? repeat : 0);
            int Place(Func<int, bool> allowed) => Enumerable.Range(0, items).Where(item => !float.IsNaN(scores[item]) && allowed(item))
                .OrderByDescending(Score).ThenBy(item => item).ToList().IndexOf(target); // -1: it is not there

            repeated += history.Contains(target) ? 1 : 0;
            Assert.Equal((Place(_ => true), Place(item => !history.Contains(item))), FullRanking.Rank(scores, target, history, repeat));
        }

        Assert.InRange(repeated, 50, 950);
    }
}
