using Recsys.Retrieval.Evaluation;

namespace Recsys.Retrieval.Tests.Evaluation;

public class DecoderCheckTests
{
    private static readonly ItemTable Table = Tiny.Table(90, [5, 5, 5], 3);
    private static readonly LeaveOneOut Split = new(Tiny.Sequences(
        [.. Enumerable.Range(0, 40).Select(user => Enumerable.Range(user, 5).Select(item => item * 7 % 90).ToArray())]));

    [Theory]
    [InlineData(90, 1)] // holds every item
    [InlineData(24, 0.9)]
    [InlineData(10, 0.2)] // k is more than half of it: nothing is come back to
    public void A_wide_beam_finds_and_proves_what_a_narrow_one_misses(int beam, double least)
    {
        using var recommender = new Recommender(Tiny.Model(Table, Tiny.Options, 3), Table);
        var options = new EvaluationOptions { Beam = beam, Exhaustive = 25, Baselines = false, Seed = 4 };
        var check = RetrievalEvaluator.Evaluate(recommender, Split, options).Decoder!;
        Assert.Equal((25, beam, 10), (check.Users, check.Beam, check.K));
        foreach (var one in (DecoderAgreement[])[check.All, check.Half])
        {
            Assert.InRange(one.Same, least, 1);
            Assert.InRange(one.Recall, one.Same, 1);
            Assert.InRange(one.Certain, beam == 90 ? 1 : 0, one.Same);
            Assert.Equal(0, one.Disproved);
        }

        Assert.True(beam > 10 || check.All.Same < 0.9);
        Assert.Equal(check, RetrievalEvaluator.Evaluate(recommender, Split, options).Decoder); // the seed draws
        Assert.Null(RetrievalEvaluator.Evaluate(recommender, Split, options with { Exhaustive = null }).Decoder);
    }

    [Fact]
    public void A_model_that_decodes_nothing_is_not_asked()
    {
        using var recommender = new Recommender(Tiny.Model(Table, [Tiny.Dense(90, 1)]), Table);
        var options = new EvaluationOptions { Exhaustive = 5, Baselines = false };
        Assert.Null(RetrievalEvaluator.Evaluate(recommender, Split, options).Decoder);
    }
}
