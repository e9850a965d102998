using Grpc.Core;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.Diffusion.Predictions;
using Recsys.Diffusion.Service;
using Recsys.Imaging;
using Recsys.V1;
using SemanticId = Recsys.Catalog.SemanticId;

namespace Recsys.Diffusion.Tests;

[Collection(TinyModelCollection.Name)]
public class CreativeServiceTests(TinyModel tiny)
{
    private readonly ItemTable _items = new(
        ["red", "blue", "twin"], [.. TinyModel.Ids, TinyModel.Ids[1].WithCollision(1)], ["Red", "Blue", "Twin"], TinyModel.CodebookSizes);

    [Fact]
    public async Task An_item_is_drawn_with_seed_plus_index_and_progress_comes_first()
    {
        var answers = await Call(new GenerateRequest { ItemId = "twin", Count = 3, Seed = 40, Steps = 4 });
        var images = Images(answers);
        Assert.Equal([0, 1, 2], images.Select(i => i.Index));
        Assert.Equal([40, 41, 42], images.Select(i => i.Seed));
        Assert.All(images, image => Assert.Equal(("twin", 1u), (image.ItemId, image.SemanticId.Collision)));
        Assert.All(answers, answer => Assert.Equal("v1", answer.Version));
        int told = answers.FindLastIndex(a => a.EventCase == GenerateResponse.EventOneofCase.Progress);
        Assert.Equal((4, 4), (answers[told].Progress.Step, answers[told].Progress.Steps));
        Assert.Equal(told + 1, answers.FindIndex(a => a.EventCase == GenerateResponse.EventOneofCase.Image));
    }

    [Fact]
    public async Task The_same_seed_is_the_same_picture_whatever_the_count()
    {
        var three = Images(await Call(new GenerateRequest { ItemId = "red", Count = 3, Seed = 5 }));
        var one = Images(await Call(new GenerateRequest { ItemId = "red", Seed = 7 }));
        byte[] a = ImageDecoder.Decode(three[2].Png.Span).Rgb, b = ImageDecoder.Decode(one[0].Png.Span).Rgb;
        Assert.True(a.Zip(b, (x, y) => Math.Abs(x - y)).Max() <= 1);
    }

    [Fact]
    public async Task A_semantic_id_that_no_item_has_is_drawn()
    {
        var image = Images(await Call(new GenerateRequest { SemanticId = Proto(1, 1), Size = 24 })).Single();
        Assert.Equal("", image.ItemId);
        Assert.Equal(24, ImageDecoder.Decode(image.Png.Span).Width);
        Assert.Equal("blue", Images(await Call(new GenerateRequest { SemanticId = Proto(2, 1) })).Single().ItemId);
    }

    [Fact]
    public async Task Fewer_codes_condition_coarsely()
    {
        var image = Images(await Call(new GenerateRequest { SemanticId = Proto(2) })).Single();
        Assert.Equal([2u], image.SemanticId.Codes);
        Assert.Equal("", image.ItemId);
    }

    [Fact]
    public async Task A_history_draws_the_recommended_items_one_after_the_other()
    {
        var recommender = new Fixed([1, 0]);
        var request = new GenerateRequest { History = new ItemHistory { ItemIds = { "red", "twin" } }, Count = 2 };
        var images = Images(await Call(request, recommender: recommender));
        Assert.Equal(["blue", "red"], images.Select(i => i.ItemId));
        Assert.Equal([0, 2], recommender.Asked!.History);
        Assert.Equal(2, recommender.Asked.K);
    }

    [Fact]
    public async Task Items_of_a_history_that_the_version_lacks_are_passed_over_and_named_with_the_first_picture()
    {
        var recommender = new Fixed([1, 0]);
        var history = new ItemHistory { ItemIds = { "gone", "red", "nobody", "gone" } };
        var answers = await Call(new GenerateRequest { History = history, Count = 2 }, recommender: recommender);
        Assert.Equal([0], recommender.Asked!.History);
        Assert.Equal(["gone", "nobody"], answers.Single(answer => answer.Image?.Index == 0).UnknownItemIds);
        Assert.All(answers.Where(answer => answer.Image?.Index != 0), answer => Assert.Empty(answer.UnknownItemIds));
    }

    public static TheoryData<GenerateRequest, Fault, string> Faulty() => new()
    {
        { new GenerateRequest(), Fault.InvalidArgument, "subject" },
        { new GenerateRequest { ItemId = "green" }, Fault.NotFound, "green" },
        { new GenerateRequest { ItemId = "red", Count = 65 }, Fault.InvalidArgument, "count 65" },
        { new GenerateRequest { ItemId = "red", Count = -1 }, Fault.InvalidArgument, "count -1" },
        { new GenerateRequest { ItemId = "red", Size = 7 }, Fault.InvalidArgument, "size is 7" },
        { new GenerateRequest { ItemId = "red", Size = 1025 }, Fault.InvalidArgument, "size is 1025" },
        { new GenerateRequest { ItemId = "red", Steps = 1001 }, Fault.InvalidArgument, "steps is 1001" },
        { new GenerateRequest { ItemId = "red", Guidance = -1 }, Fault.InvalidArgument, "guidance is -1" },
        { new GenerateRequest { ItemId = "red", Guidance = double.PositiveInfinity }, Fault.InvalidArgument, "guidance" },
        { new GenerateRequest { SemanticId = Proto() }, Fault.InvalidArgument, "0 codes" },
        { new GenerateRequest { SemanticId = Proto(0, 0, 0) }, Fault.InvalidArgument, "3 codes" },
        { new GenerateRequest { SemanticId = Proto(3) }, Fault.InvalidArgument, "code 3 at level 0" },
        { new GenerateRequest { SemanticId = Proto(0, uint.MaxValue) }, Fault.InvalidArgument, "at level 1" },
        { new GenerateRequest { History = new ItemHistory() }, Fault.InvalidArgument, "history has 0" },
        { new GenerateRequest { History = new ItemHistory { ItemIds = { "green" } } }, Fault.NotFound, "green" },
    };

    [Theory]
    [MemberData(nameof(Faulty))]
    public async Task A_bad_request_is_a_typed_error_before_anything_is_sent(GenerateRequest request, Fault fault, string named)
    {
        var stream = new Collected();
        var thrown = await Assert.ThrowsAsync<CatalogException>(
            () => Service(recommender: new Fixed([0])).Generate(request, stream, new FakeContext(default)));
        Assert.Equal(fault, thrown.Fault);
        Assert.Contains(named, thrown.Message, StringComparison.Ordinal);
        Assert.Empty(stream.Messages);
    }

    [Fact]
    public async Task A_version_that_cannot_draw_or_recommend_says_what_to_do()
    {
        var noPainter = await Assert.ThrowsAsync<CatalogException>(
            () => Service(painter: false).Generate(new GenerateRequest { ItemId = "red" }, new Collected(), new FakeContext(default)));
        Assert.Equal(Fault.FailedPrecondition, noPainter.Fault);
        Assert.Contains("images", noPainter.Message, StringComparison.Ordinal);
        var request = new GenerateRequest { History = new ItemHistory { ItemIds = { "red" } } };
        var noRecommender = await Assert.ThrowsAsync<CatalogException>(
            () => Service().Generate(request, new Collected(), new FakeContext(default)));
        Assert.Equal(Fault.FailedPrecondition, noRecommender.Fault);
    }

    [Fact]
    public async Task A_client_that_goes_away_stops_the_drawing_and_the_lease_ends_after_it()
    {
        using var gone = new CancellationTokenSource();
        var snapshots = new FakeSnapshots(new Dictionary<Type, object> { [typeof(Painter)] = View() }, _items);
        var stream = new Collected(_ => gone.Cancel());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            new CreativeService(snapshots, TimeProvider.System).Generate(
                new GenerateRequest { ItemId = "red", Count = 64, Steps = 1000 }, stream, new FakeContext(gone.Token)));
        Assert.DoesNotContain(stream.Messages, m => m.EventCase == GenerateResponse.EventOneofCase.Image);
        Assert.Equal(1, snapshots.Released);
    }

    private static V1.SemanticId Proto(params uint[] codes) => new() { Codes = { codes } };

    private static List<GeneratedImage> Images(IEnumerable<GenerateResponse> answers) =>
        [.. answers.Where(a => a.EventCase == GenerateResponse.EventOneofCase.Image).Select(a => a.Image)];

    private Painter View() => (Painter)new Painter(tiny.Model, "v1").WithItems(_items);

    private CreativeService Service(bool painter = true, IRecommender? recommender = null)
    {
        var parts = new Dictionary<Type, object>();
        if (painter)
        {
            parts[typeof(Painter)] = View();
        }

        if (recommender is not null)
        {
            parts[typeof(IRecommender)] = recommender;
        }

        return new CreativeService(new FakeSnapshots(parts, _items), TimeProvider.System);
    }

    private async Task<List<GenerateResponse>> Call(GenerateRequest request, IRecommender? recommender = null)
    {
        var stream = new Collected();
        await Service(recommender: recommender).Generate(request, stream, new FakeContext(default));
        return stream.Messages;
    }

    private sealed class Fixed(int[] items) : IRecommender
    {
        public RecommendQuery? Asked { get; private set; }

        public IReadOnlyList<Recommendation> Popular(RecommendQuery query) =>
            throw new InvalidOperationException("Creative asks for none.");

        public IReadOnlyList<Recommendation>[] RecommendBatch(IReadOnlyList<RecommendQuery> queries, CancellationToken cancel) =>
            throw new InvalidOperationException("Creative asks for none.");

        public IReadOnlyList<ItemExplanation> Explain(RecommendQuery query, IReadOnlyList<int> items, CancellationToken cancel) =>
            throw new InvalidOperationException();

        public IReadOnlyList<(int Item, double Score)> Similar(RecommendQuery query, Catalog.Ports.Likeness by) =>
            throw new InvalidOperationException("Creative asks for none.");

        public IReadOnlyList<Recommendation> Recommend(RecommendQuery query, CancellationToken cancel)
        {
            Asked = query;
            return [.. items.Take(query.K).Select(i => new Recommendation(i, TinyModel.Ids[i], -1, 0.1, []))];
        }
    }
}
