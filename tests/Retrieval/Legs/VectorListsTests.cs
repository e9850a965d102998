using System.Collections;
using Recsys.Retrieval.Decoding;
using Recsys.Retrieval.Legs;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Torch;
using Recsys.Torch.Kernels;
using Recsys.Torch.Safetensors;

namespace Recsys.Retrieval.Tests.Legs;

/// <summary>Answers that look at the nearest lists of vectors alone.</summary>
public sealed class VectorListsTests : IClassFixture<VectorListsTests.Large>
{
    private const int Dim = 16, Items = 40_000, Groups = 200;

    private readonly Large _large;

    public VectorListsTests(Large large) => _large = large;

    [Fact]
    public void Each_item_is_in_the_list_of_its_nearest_centroid_and_in_no_other()
    {
        var lists = _large.Lists;
        Assert.Equal(Enumerable.Range(0, Items), lists.Items.Order());
        Assert.InRange(lists.Count, 780, 840); // 4 √40,000, but for empty ones and what long ones are cut into
        for (int list = 0; list < lists.Count; list += 37)
        {
            foreach (int item in lists.ItemsOf(list))
            {
                double[] distances = [.. Enumerable.Range(0, lists.Count).Select(other => _large.Distance(item, other))];
                Assert.Equal(distances.Min(), distances[list], 1e-3);
            }
        }
    }

    [Fact]
    public void The_best_of_all_items_are_found_with_the_scores_of_a_search_through_all()
    {
        int found = 0;
        for (int state = 0; state < 50; state++)
        {
            var (all, some) = (_large.All(state), _large.Some(state));
            int[] expected = all.Best(64, null);
            found += expected.Intersect(some.Best(64, null)).Count();
            Assert.All(all.Of(expected).Zip(some.Of(expected)), pair => Assert.Equal(pair.First, pair.Second, 0.05));
            Assert.Equal(expected[0], some.Best(1, null)[0]);
        }

        Assert.InRange(found / (50 * 64.0), 0.98, 1);
    }

    [Fact]
    public void Of_many_that_a_filter_lets_pass_the_best_are_found()
    {
        var passing = new BitArray([.. Enumerable.Range(0, Items).Select(item => item % 3 == 0)]);
        var filtered = Admission.AllBut([0], new TrieFilter(_large.Trie, passing));
        int[] expected = _large.All(3).Best(10, Admission.OnlyOf(Enumerable.Range(1, Items - 1).Where(item => item % 3 == 0)));
        Assert.Null(filtered.Few);
        Assert.Equal(expected, _large.All(3).Best(10, filtered));
        Assert.Equal(expected, _large.Some(3).Best(10, filtered));
    }

    [Fact]
    public void Making_lists_can_be_cancelled()
    {
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => VectorLists.Make(_large.Vectors, Items, 5, cancel.Token));
    }

    [Fact]
    public void Equal_vectors_do_not_make_a_long_list()
    {
        using var vectors = _large.Vectors.clone();
        vectors.narrow(0, 0, Items / 2).zero_(); // items without embeddings
        var lists = VectorLists.Make(vectors, Items, 5);
        Assert.Equal(Enumerable.Range(0, Items), lists.Items.Order());
        Assert.InRange(Enumerable.Range(0, lists.Count).Max(list => lists.ItemsOf(list).Length), 50, 200); // four times 40,000 / 800
    }

    [Fact]
    public void Differences_between_scores_are_exact()
    {
        int[] items = [5, 17, 39_999, 20_000];
        for (int state = 0; state < 10; state++)
        {
            float[] all = _large.All(state).Of(items), some = _large.Some(state).Of(items);
            Assert.All(Enumerable.Range(1, 3), i => Assert.Equal(all[i] - all[0], some[i] - some[0], 1e-4));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1500)]
    public void Of_few_that_may_be_answered_the_best_are_found_wherever_they_are(int allowed)
    {
        int[] items = new Random(allowed).GetItems([.. Enumerable.Range(0, Items)], allowed);
        foreach (var admission in new[] { Admission.OnlyOf(items), Admission.AllBut(Enumerable.Range(0, Items).Except(items)) })
        {
            Assert.Equal(_large.All(3).Best(10, admission), _large.Some(3).Best(10, admission));
        }

        var passing = new BitArray(Items);
        Array.ForEach(items, item => passing[item] = true);
        var filtered = Admission.AllBut([items[0]], new TrieFilter(_large.Trie, passing));
        int[] left = [.. items.Where(item => item != items[0]).Distinct()];
        Assert.Equal(left.Order(), filtered.Few!.Order());
        Assert.Equal(_large.All(3).Best(10, Admission.OnlyOf(left)), _large.Some(3).Best(10, filtered));

        var group = new ItemGroup([.. items.Distinct()], items.ToHashSet().Contains);
        Assert.Equal(_large.All(3).Best(10, null, group), _large.Some(3).Best(10, null, group));
    }

    [Fact]
    public void A_small_catalogue_is_looked_at_whole()
    {
        using var leg = Tiny.Dense(90, 3);
        using var with = Tiny.Dense(90, 3, lists: Made);
        int[][] histories = [[3, 7], [1], [80, 2, 5, 9, 11]];
        using var scope = NewDisposeScope();
        var (all, some) = (((ILeg)leg).Search(histories, null, null), ((ILeg)with).Search(histories, null, null));
        Assert.True(((ILeg)with).Searches && !((ILeg)leg).Searches);
        int[] items = [.. Enumerable.Range(0, 90)];
        for (int row = 0; row < histories.Length; row++)
        {
            Assert.Equal(all[row].Best(90, null), some[row].Best(90, null));
            Assert.All(all[row].Of(items).Zip(some[row].Of(items)), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
            Assert.Equal(all[row].Least, some[row].Least, 1e-4);
        }
    }

    [Fact]
    public void Items_like_one_are_found_in_the_lists_too()
    {
        using var leg = Tiny.Dense(90, 3);
        using var with = Tiny.Dense(90, 3, lists: Made);
        Admission[] admissions = [Admission.AllBut([7]), Admission.OnlyOf([1, 2, 50, 89]), Admission.AllBut(Enumerable.Range(0, 60))];
        foreach (var admission in admissions)
        {
            var all = new NearVectors(leg, NewItems.None).Of(7, 20, admission);
            var some = new NearVectors(with, NewItems.None).Of(7, 20, admission);
            Assert.Equal(all.Select(other => other.Item), some.Select(other => other.Item));
            Assert.All(all.Zip(some), pair => Assert.Equal(pair.First.Cosine, pair.Second.Cosine, 1e-6));
        }
    }

    [Fact]
    public void Lists_are_saved_with_a_leg()
    {
        using var folder = new TemporaryFolder();
        using var with = Tiny.Dense(90, 3, lists: Made);
        with.Save(folder.Path);
        using var loaded = DenseLeg.Load(folder.Path);
        Assert.Equal(with.Lists!.Items, loaded.Lists!.Items);
        Assert.Equal(with.Lists.Starts, loaded.Lists.Starts);
        Assert.Equal(with.Lists.Centroids, loaded.Lists.Centroids);
    }

    [Fact]
    public void Vectors_in_lists_are_bf16_and_what_reads_all_of_them_has_the_same_values()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var whole = Tiny.Dense(90, 3);
        using var with = Tiny.Dense(90, 3, lists: Made);
        with.Save(folder.Path);
        using var loaded = DenseLeg.Load(folder.Path);
        using var operators = DenseLeg.Load(folder.Path, arithmetic: Arithmetic.Operators);
        Assert.Equal(ScalarType.BFloat16, loaded.Vectors.dtype);
        Assert.Equal(ScalarType.Float32, operators.Vectors.dtype);
        Assert.Equal(Values(whole.Vectors), Values(operators.Vectors));
        int[][] histories = [[3, 7], [1], [80, 2, 5, 9, 11]];
        Assert.Equal(Values(whole.Scores(histories)), Values(loaded.Scores(histories)));
        Assert.Equal(Values(whole.InverseNorms), Values(loaded.InverseNorms));
        Assert.False(((ILeg)operators).Searches);

        static float[] Values(Tensor tensor) => tensor.data<float>().ToArray();
    }

    [Fact]
    public void A_table_of_whole_numbers_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var leg = Tiny.Dense(90, 3);
        leg.Save(folder.Path);
        string file = Path.Combine(folder.Path, ModelFiles.Weights);
        var state = SafetensorsFile.Load(file);
        using var number = zeros(91, 16, ScalarType.Int32);
        state["vectors"] = number;
        SafetensorsFile.Save(file, state);
        var error = Assert.Throws<CatalogException>(() => DenseLeg.Load(folder.Path));
        Assert.Contains("'vectors' is Int32", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("an item twice")]
    [InlineData("an item that there is not")]
    [InlineData("starts that fall")]
    [InlineData("starts that end early")]
    public void Lists_that_do_not_name_each_item_once_are_refused(string what)
    {
        using var folder = new TemporaryFolder();
        using var leg = Tiny.Dense(90, 3);
        var lists = Made(leg.Vectors);
        var (starts, items) = (lists.Starts.ToArray(), lists.Items.ToArray());
        (items[4], starts[3], starts[^1]) = what switch
        {
            "an item twice" => (items[5], starts[3], starts[^1]),
            "an item that there is not" => (90, starts[3], starts[^1]),
            "starts that fall" => (items[4], 91, starts[^1]),
            _ => (items[4], starts[3], 89),
        };
        using var with = Tiny.Dense(90, 3, lists: _ => lists with { Starts = starts, Items = items });
        with.Save(folder.Path);
        var error = Assert.Throws<CatalogException>(() => DenseLeg.Load(folder.Path));
        Assert.Equal(Fault.DataLoss, error.Fault);
        Assert.Contains("do not name each item once", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_training_makes_lists_where_the_catalogue_is_larger_than_asked()
    {
        var table = Tiny.Table(60, [4, 4, 4], 1);
        var data = new RetrievalTrainingData { Items = table, Training = Tiny.Sequences(60, 40, 6, 1) };
        var dense = new DenseOptions { Dim = 16, Layers = 1, Heads = 2, MinSteps = 1, MaxSteps = 1, BFloat16 = false };
        var options = new RetrievalOptions
        {
            Id = dense, Content = null, Generative = Training.Walks.Generative with { MaxSteps = 1 }, Transitions = null,
        };
        foreach (int exact in new[] { 59, 60 })
        {
            using var model = Recsys.Retrieval.Training.RetrievalTrainer.Train(data, options with { ExactItems = exact }, 1);
            Assert.Equal(exact < 60, ((DenseLeg)model.Legs[0]).Lists is not null);
            Assert.Equal(exact < 60 ? ScalarType.BFloat16 : ScalarType.Float32, model.Generative!.Vectors!.dtype);
        }

        var error = Assert.Throws<CatalogException>(() => (options with { ExactItems = 0 }).Validate());
        Assert.Contains("retrieval.exact_items is 0", error.Message, StringComparison.Ordinal);
    }

    private static VectorLists Made(Tensor vectors) => VectorLists.Make(vectors, 90, 1);

    /// <summary>Vectors in groups, and states that lie near some of them.</summary>
    public sealed class Large : IDisposable
    {
        private readonly float[] _values, _states;
        private readonly Tensor _halves;

        public Large()
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator(11);
            var middles = zeros(Groups, Dim).normal_(0, 1, generator);
            var vectors = middles.repeat(Items / Groups, 1) + zeros(Items, Dim).normal_(0, 0.4, generator);
            _halves = cat([vectors, zeros(1, Dim)]).to(ScalarType.BFloat16).DetachFromDisposeScope();
            Vectors = _halves.to(ScalarType.Float32).DetachFromDisposeScope();
            _values = Vectors.data<float>().ToArray();
            _states = (middles + zeros(Groups, Dim).normal_(0, 0.5, generator)).data<float>().ToArray();
            Lists = VectorLists.Make(Vectors, Items, 5);
        }

        internal Tensor Vectors { get; }

        internal TrieLayers Trie { get; } = new(Tiny.Table(Items, [40, 40, 40], 1));

        internal VectorLists Lists { get; }

        internal ILegScores All(int state)
        {
            using var known = Vectors.narrow(0, 0, Items);
            return FullScores.Of(ItemScores.LogProbabilities(_states.AsSpan(state * Dim, Dim), known))[0];
        }

        /// <summary>From the same values in bf16.</summary>
        internal ILegScores Some(int state) =>
            new ListedScores(_states[(state * Dim)..((state + 1) * Dim)], _halves, Lists, NewItems.None, DenseLeg.Id);

        internal double Distance(int item, int list) => Math.Sqrt(Enumerable.Range(0, Dim).Sum(at =>
            Math.Pow(_values[(item * Dim) + at] - Lists.Centroids[(list * Dim) + at], 2)));

        public void Dispose()
        {
            Vectors.Dispose();
            _halves.Dispose();
        }
    }
}
