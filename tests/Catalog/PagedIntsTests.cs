namespace Recsys.Catalog.Tests;

public class PagedIntsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1024)]
    [InlineData(3000)]
    public void A_changed_copy_says_what_a_changed_array_says_and_the_original_what_it_said(int count)
    {
        var random = new Random(count);
        int[] expected = [.. Enumerable.Range(0, count).Select(_ => random.Next())];
        var numbers = PagedInts.Of(expected);
        for (int round = 0; round < 20; round++)
        {
            var (before, said) = (numbers, expected.ToArray());
            Array.Resize(ref expected, expected.Length + random.Next(700));
            var builder = numbers.ToBuilder(expected.Length);
            for (int change = 0; change < 50 && expected.Length > 0; change++)
            {
                int at = random.Next(expected.Length);
                Assert.Equal(expected[at], builder[at]);
                builder[at] = expected[at] = random.Next();
            }

            numbers = builder.Done();
            Assert.Equal(expected, Enumerable.Range(0, numbers.Count).Select(at => numbers[at]));
            Assert.Equal(said, Enumerable.Range(0, before.Count).Select(at => before[at]));
        }
    }
}
