using Recsys.Retrieval.Decoding;

namespace Recsys.Retrieval.Tests.Decoding;

public class TopItemsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_best_are_those_of_a_sort_ties_by_place_without_what_is_passed_or_no_number(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 300; round++)
        {
            // Few distinct values: ties at every cut.
            float[] scores = [.. Enumerable.Range(0, random.Next(60)).Select(_ => random.Next(8) switch
            {
                0 => float.NaN,
                1 => float.NegativeInfinity,
                2 => float.PositiveInfinity,
                int value => value / 3f,
            })];
            var passed = Enumerable.Range(0, 60).Where(_ => random.Next(4) == 0).ToHashSet();
            int n = random.Next(70);
            int[] Expected(Func<int, bool> allowed) =>
            [
                .. Enumerable.Range(0, scores.Length).Where(place => !float.IsNaN(scores[place]) && allowed(place))
                    .OrderByDescending(place => scores[place]).ThenBy(place => place).Take(n),
            ];

            Assert.Equal(Expected(_ => true), TopItems.Of(scores, n));
            Assert.Equal(Expected(place => !passed.Contains(place)), TopItems.Of(scores, n, Admission.AllBut(passed)));
            Assert.Equal(Expected(passed.Contains), TopItems.Of(scores, n, Admission.OnlyOf(passed)));
        }
    }
}
