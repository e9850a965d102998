using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Legs.Transitions;
using Recsys.Retrieval.Tests.Training;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Tests;

/// <summary>Items that come after training with embeddings: beside items of the same kinds that training saw, and some that it did
/// not.</summary>
public sealed class NewItemsTests : IClassFixture<NewItemsTests.Trained>
{
    private const int Kinds = 6, OfKind = 10, Items = Kinds * OfKind, Dim = 16;

    private readonly Trained _trained;

    public NewItemsTests(Trained trained) => _trained = trained;

    [Theory]
    [MemberData(nameof(EveryKind))]
    public void A_new_item_is_ranked_as_a_cold_one_of_the_training_with_the_same_embedding(int kind)
    {
        int cold = kind * OfKind, twin = Items + kind;
        using var grown = _trained.Grown();
        int[] history = [cold + 3, cold + 7, cold + 2];
        var query = new RecommendQuery(history, 20) { Candidates = [.. Enumerable.Range(0, grown.Items.Count)] };
        var answers = grown.Recommend(query with { K = grown.Items.Count }, default).ToDictionary(answer => answer.Item);
        double Part(int item, string name) => answers[item].Parts.Single(part => part.Leg == name).Value;

        Assert.Equal(Part(cold, DenseLeg.Content), Part(twin, DenseLeg.Content), 1e-3);
        Assert.Equal(Part(twin, DenseLeg.Content), Part(twin, GenerativeLeg.LegName), 1e-6); // as for cold items
        Assert.Equal(Part(cold, DenseLeg.Id), Part(twin, DenseLeg.Id), 1.0); // stood for by items that need not be the same ones
        Assert.True(Part(twin, TransitionLeg.LegName) > 0);
        double others = answers.Keys.Where(item => item < Items && item / OfKind != kind).Max(item => answers[item].Score);
        Assert.True(answers[twin].Score > others, $"{answers[twin].Score} is below another kind's {others}");
        Assert.Contains(twin, grown.Recommend(new RecommendQuery(history, OfKind + 1), default).Select(answer => answer.Item));
    }

    [Theory]
    [MemberData(nameof(EveryKind))]
    public void What_follows_a_new_item_is_of_its_kind(int kind)
    {
        using var grown = _trained.Grown();
        var after = grown.Recommend(new RecommendQuery([Items + kind], 5) { Exclude = [Items + kind] }, default);
        Assert.True(after.Count(answer => KindOf(answer.Item) == kind) >= 4, string.Join(' ', after.Select(answer => answer.Item)));
        var like = grown.Similar(new RecommendQuery([Items + kind], 5), Likeness.Content);
        Assert.All(like, other => Assert.Equal(kind, KindOf(other.Item)));
        Assert.Contains(Items + kind, grown.Similar(new RecommendQuery([kind * OfKind], 3), Likeness.Content).Select(other => other.Item));
    }

    [Fact]
    public void Items_of_the_training_keep_their_scores_to_the_last_bit()
    {
        using var grown = _trained.Grown();
        int[][] histories = [[3, 7, 2], [15, 21, 33, 34], [59]];
        foreach (var leg in _trained.Recommender.FullLegs)
        {
            using var before = leg.Scores(histories);
            using var after = leg.Scores(histories, NewItems.Of(_trained.Model, grown.Items, NewItems.None));
            Assert.Equal([3, Items], before.shape);
            Assert.Equal([3, Items + Kinds + 1], after.shape);
            Assert.Equal(before.data<float>().ToArray(), after.narrow(1, 0, Items).contiguous().data<float>().ToArray());
            Assert.True(float.IsNaN(after[0, Items + Kinds].item<float>()) || leg is TransitionLeg); // its codes alone are known
        }
    }

    [Fact]
    public void Grown_item_by_item_they_are_what_they_are_grown_at_once_and_operators_say_the_same()
    {
        using var grown = _trained.Grown();
        IVersionPart step = _trained.Recommender;
        for (int count = 1; count <= Kinds + 1; count++)
        {
            step = step.WithItems(Table.Append(_trained.Appended.Take(count)));
        }

        using var operators = RetrievalModel.Load(_trained.Folder, arithmetic: Arithmetic.Operators);
        using var unpacked = Recommender.Borrowing(operators, grown.Items);
        foreach (int[] history in new int[][] { [3, 7, 2], [Items + 1, 12], [Items + Kinds, Items + 2, 58] })
        {
            var query = new RecommendQuery(history, 70) { Candidates = [.. Enumerable.Range(0, grown.Items.Count)] };
            var expected = grown.Recommend(query, default);
            foreach (var (recommender, tolerance) in new[] { ((Recommender)step, 1e-5), (unpacked, 1e-3) })
            {
                var other = recommender.Recommend(query, default).ToDictionary(answer => answer.Item, answer => answer.Score);
                Assert.All(expected, answer => Assert.Equal(answer.Score, other[answer.Item], tolerance));
            }
        }
    }

    [Fact]
    public void An_item_without_what_the_leg_reads_has_no_vector()
    {
        float[] one = [.. Enumerable.Repeat(1f, Dim)];
        Assert.True(VectorOf("other", one).IsEmpty);
        Assert.True(VectorOf("text", [1, 2]).IsEmpty);
        Assert.True(VectorOf("text", new float[Dim]).IsEmpty);
        Assert.Equal(Walks.Dense.Dim, VectorOf("text", one).Length);
        using var grown = _trained.Grown();
        var error = Assert.Throws<CatalogException>(() => grown.Similar(new RecommendQuery([Items + Kinds], 5), Likeness.Content));
        Assert.Equal(Fault.FailedPrecondition, error.Fault);

        ReadOnlyMemory<float> VectorOf(string name, float[] values) =>
            _trained.Recommender.VectorOf(new Dictionary<string, ReadOnlyMemory<float>> { [name] = values });
    }

    /// <summary>Where an embedding's own length counts, a new one may be of any: scores stay of the size of the catalogue's.</summary>
    [Fact]
    public void A_vector_is_no_longer_than_the_longest_of_the_catalogue_and_never_without_a_number()
    {
        var content = _trained.Model.Content!;
        double longest = Enumerable.Range(0, Items).Max(item => content.Vectors[item].norm().item<float>());
        var projection = ContentProjection.Of(
            [(new EmbeddingMatrix("image", 1, new float[Items], new bool[Items]) { Place = new EmbeddingPlace(true, [0], 1) }, 1)],
            ones(4, 1))!;
        double Length(float value) => Math.Sqrt(projection.VectorOf(
            new Dictionary<string, ReadOnlyMemory<float>> { ["image"] = new[] { value } }, longest).ToArray().Sum(of => (double)of * of));
        Assert.Equal(2 * 0.1, Length(0.1f), 1e-6);
        Assert.Equal(longest, Length(1e30f), 1e-4);
        Assert.InRange(Length(float.MaxValue), 0, longest * 1.0001);
    }

    /// <summary>The parts of a score that a history's items bring sum to what the transitions say, in the name of the items
    /// themselves.</summary>
    [Theory]
    [InlineData(3, 7, 2)]
    [InlineData(Items + 1, 12, 14)]
    [InlineData(Items + 1, Items + 2, 25)]
    public void Reasons_sum_to_the_score_of_new_items_and_behind_new_items(params int[] history)
    {
        using var grown = _trained.Grown();
        var fresh = NewItems.Of(_trained.Model, grown.Items, NewItems.None);
        var leg = (TransitionLeg)_trained.Recommender.FullLegs[0];
        using var scores = leg.Scores([history], fresh);
        for (int item = 0; item < Items + Kinds; item++)
        {
            var reasons = leg.Reasons(history, item, null, fresh);
            Assert.Equal(scores[0, item].item<float>() - leg.Priors.Of(item), reasons.Sum(reason => reason.Part), 1e-4);
            Assert.All(reasons, reason => Assert.Contains(reason.Item, history.Where(other => other != item)));
        }

        Assert.NotEmpty(grown.Similar(new RecommendQuery([Items], 5), Likeness.Transitions));
    }

    [Fact]
    public void A_new_item_that_users_take_is_learned_from_their_events()
    {
        using var grown = _trained.Grown();
        int coded = Items + Kinds; // its codes alone are known
        IReadOnlyList<int> before = [25];
        using var learned = (Recommender)grown.WithInteractions([.. Enumerable.Repeat((before, coded), 5)]);
        double Transitions(Recommender recommender, int[] history, int item) =>
            recommender.Recommend(new RecommendQuery(history, 1) { Candidates = [item] }, default).Single()
                .Parts.Single(part => part.Leg == TransitionLeg.LegName).Value;
        Assert.True(Transitions(learned, [25], coded) > Transitions(grown, [25], coded) + 0.5);
        Assert.Contains(coded, learned.Similar(new RecommendQuery([25], 50), Likeness.Transitions).Select(other => other.Item));
        using var back = (Recommender)learned.WithInteractions([.. Enumerable.Repeat(((IReadOnlyList<int>)[coded], 25), 5)]);
        Assert.True(Transitions(back, [coded], 25) > Transitions(learned, [coded], 25) + 0.5);
    }

    /// <summary>The models read six items: of nine, those that weigh most, whatever came after them.</summary>
    [Fact]
    public void Of_a_long_history_the_models_read_what_weighs_most()
    {
        int[] history = [21, 22, 23, 24, 25, 26, 41, 42, 43, 44, 45, 46];
        double[] first = [5, 5, 5, 5, 5, 5, 1, 1, 1, 1, 1, 1];
        var query = new RecommendQuery(history, 5) { Exclude = history };
        int Of(int kind, RecommendQuery asked) =>
            _trained.Recommender.Recommend(asked, default).Count(answer => KindOf(answer.Item) == kind);
        Assert.True(Of(4, query) >= 3, "the later six without weights");
        Assert.True(Of(2, query with { Weights = first }) >= 3, "the earlier six, which weigh more");
        var (items, weights) = (query with { Weights = first }).Read(6);
        Assert.Equal([21, 22, 23, 24, 25, 26], items);
        Assert.Equal([5, 5, 5, 5, 5, 5], weights!);
        (items, weights) = (query with { Weights = [.. first[..11], 9] }).Read(4);
        Assert.Equal([24, 25, 26, 46], items);
        Assert.Equal([5, 5, 5, 9], weights!);
        Assert.Throws<CatalogException>(() => _trained.Recommender.Recommend(query with { Weights = [1] }, default));
    }

    public static TheoryData<int> EveryKind() => [.. Enumerable.Range(0, Kinds)];

    private static ItemTable Table => Tiny.Table(Items, [8, 8, 8], 1);

    private static int KindOf(int item) => item < Items ? item / OfKind : item - Items;

    /// <summary>Nobody leaves a kind, and of each kind the first item is in no history.</summary>
    public sealed class Trained : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public Trained()
        {
            var random = new Random(8);
            int[][] walks = [.. Enumerable.Range(0, 120).Select(user => Enumerable.Range(0, 8)
                .Select(_ => (user % Kinds * OfKind) + 1 + random.Next(OfKind - 1)).ToArray())];
            float[] mean = [.. Enumerable.Range(0, Dim).Select(_ => (float)random.NextDouble())];
            float[] centres = [.. Enumerable.Range(0, Kinds * Dim).Select(_ => (float)(random.NextDouble() - 0.5))];
            float[] Brought(int item) => [.. Enumerable.Range(0, Dim).Select(at =>
                mean[at] + centres[(item / OfKind * Dim) + at] + ((float)random.NextDouble() * 0.2f))];
            float[][] brought = [.. Enumerable.Range(0, Items).Select(Brought)];
            const float Scale = 1.7f;
            var features = new EmbeddingMatrix(
                "text", Dim, [.. brought.SelectMany(of => of.Zip(mean, (value, middle) => (value - middle) * Scale))],
                [.. Enumerable.Repeat(true, Items)])
            {
                Place = new EmbeddingPlace(true, mean, Scale),
            };
            var options = Walks.All(60) with { Open = false };
            var data = new RetrievalTrainingData { Items = Table, Training = Tiny.Sequences(walks), Features = [features] };
            using (var model = RetrievalTrainer.Train(data, options, 1))
            {
                model.Save(_folder.Path);
            }

            Model = RetrievalModel.Load(_folder.Path);
            Recommender = new Recommender(Model, Table);
            Appended =
            [
                .. Enumerable.Range(0, Kinds).Select(kind => New(
                    kind, Recommender.VectorOf(new Dictionary<string, ReadOnlyMemory<float>> { ["text"] = brought[kind * OfKind] }))),
                New(Kinds, default),
            ];

            static AppendedItem New(int at, ReadOnlyMemory<float> vector) =>
                new($"new{at}", new SemanticId([(ushort)at, 7, 7], 40), "") { Vector = vector };
        }

        internal RetrievalModel Model { get; }

        internal Recommender Recommender { get; }

        internal AppendedItem[] Appended { get; }

        internal string Folder => _folder.Path;

        internal Recommender Grown() => (Recommender)Recommender.WithItems(Table.Append(Appended));

        public void Dispose()
        {
            Recommender.Dispose();
            _folder.Dispose();
        }
    }
}
