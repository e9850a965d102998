using Recsys.Retrieval.Service;

namespace Recsys.Retrieval.Tests.Service;

public sealed class AnswerQueueTests : IDisposable
{
    private readonly SteppedClock _clock = new();
    private readonly Gated _recommender = new();
    private readonly AnswerQueue _queue;

    public AnswerQueueTests() => _queue = new AnswerQueue(_clock, decoders: 1);

    [Fact]
    public async Task What_waits_is_decoded_together_on_one_thread_and_each_has_its_own_answer()
    {
        var first = Ask(1);
        _recommender.WaitForBatch();
        var others = Enumerable.Range(2, 70).Select(item => Ask(item)).ToList();
        _recommender.Open(3);
        Assert.Equal(Enumerable.Range(1, 71), (await Task.WhenAll(others.Prepend(first))).Select(answer => answer[0].Item));
        Assert.Equal([1, AnswerQueue.MaxTogether, 70 - AnswerQueue.MaxTogether], _recommender.Batches);
        Assert.Single(_recommender.Threads.Distinct());
    }

    [Fact]
    public async Task Those_that_are_decoded_alike_go_together_in_the_order_in_which_the_first_of_them_came()
    {
        var first = Ask(1);
        _recommender.WaitForBatch();
        var another = new Gated();
        Task<IReadOnlyList<Recommendation>>[] others =
            [Ask(2, k: 7), Ask(3), Ask(4, k: 7, beam: 9), Ask(5, k: 7), Ask(6), Ask(7, of: another)];
        _recommender.Open(4);
        another.Open(1);
        await Task.WhenAll(others.Prepend(first));
        Assert.Equal([1, 2, 2, 1], _recommender.Batches);
        Assert.Equal([1], another.Batches);
    }

    [Fact]
    public async Task Each_decoder_takes_a_batch_and_computes_on_one_core_while_others_take_them_all()
    {
        int all = get_num_threads();
        using var queue = new AnswerQueue(_clock, decoders: 3);
        var answers = new List<Task<IReadOnlyList<Recommendation>>>();
        for (int item = 1; item <= 3; item++)
        {
            answers.Add(queue.Answer(_recommender, new RecommendQuery([item], 5), DateTime.MaxValue, default));
            _recommender.WaitForBatch(); // or one batch would have them all
        }

        Assert.Equal(3, queue.Busy);
        _recommender.Open(3);
        Assert.Equal([1, 2, 3], (await Task.WhenAll(answers)).Select(answer => answer[0].Item));
        Assert.Equal([1, 1, 1], _recommender.ComputeThreads);
        int later = 0;
        var thread = new Thread(() => later = get_num_threads());
        thread.Start();
        thread.Join();
        Assert.Equal((all, all), (get_num_threads(), later));
    }

    [Fact]
    public async Task One_too_many_is_refused_with_the_time_after_which_to_call_again()
    {
        await Measured(milliseconds: 30);
        var taken = new List<Task<IReadOnlyList<Recommendation>>> { Ask(0) };
        _recommender.WaitForBatch();
        taken.AddRange(Enumerable.Range(1, AnswerQueue.MaxWaiting).Select(item => Ask(item)));
        var refused = await Assert.ThrowsAsync<CatalogException>(() => Ask(9));
        Assert.Equal(Fault.ResourceExhausted, refused.Fault);
        Assert.Equal(TimeSpan.FromMilliseconds(30 * (2 + (AnswerQueue.MaxWaiting / AnswerQueue.MaxTogether))), refused.RetryAfter);
        Assert.Contains($"{AnswerQueue.MaxWaiting} requests wait", refused.Message, StringComparison.Ordinal);
        _recommender.Open(1 + (AnswerQueue.MaxWaiting / AnswerQueue.MaxTogether));
        await Task.WhenAll(taken);
    }

    [Fact]
    public async Task Who_could_not_be_answered_in_time_is_refused_at_once_but_not_where_nobody_waits()
    {
        await Measured(milliseconds: 30);
        var alone = Ask(1, deadline: 5); // the mean may be of worse times
        _recommender.WaitForBatch();
        var refused = await Assert.ThrowsAsync<CatalogException>(() => Ask(2, deadline: 59));
        Assert.Equal((Fault.ResourceExhausted, TimeSpan.FromMilliseconds(60)), (refused.Fault, refused.RetryAfter));
        Assert.Contains("expected in 60 ms, and the deadline is in 59 ms", refused.Message, StringComparison.Ordinal);
        var behind = Ask(3, deadline: 60);
        _recommender.Open(2);
        Assert.Equal(1, (await alone)[0].Item);
        Assert.Equal(3, (await behind)[0].Item);
    }

    [Fact]
    public async Task Before_a_batch_was_measured_nobody_is_told_to_call_again_at_once()
    {
        var first = Ask(1);
        _recommender.WaitForBatch();
        var refused = await Assert.ThrowsAsync<CatalogException>(() => Ask(2, deadline: 1));
        Assert.True(refused.RetryAfter > TimeSpan.FromMilliseconds(50), $"{refused.RetryAfter}");
        _recommender.Open(1);
        await first;
    }

    [Fact]
    public async Task Who_gives_up_is_passed_over_and_a_decoding_that_nobody_waits_for_any_more_stops()
    {
        using CancellationTokenSource one = new(), two = new(), waits = new();
        var first = Ask(1, cancel: one.Token);
        _recommender.WaitForBatch();
        var (gone, stays) = (Ask(2, cancel: waits.Token), Ask(3));
        await waits.CancelAsync();
        await one.CancelAsync(); // the only one of its batch
        _recommender.Open(2);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        Assert.Equal(3, (await stays)[0].Item);
        Assert.Equal([1, 1], _recommender.Batches);

        first = Ask(1);
        _recommender.WaitForBatch();
        (gone, stays) = (Ask(4, cancel: two.Token), Ask(5));
        _recommender.Open(1);
        await first;
        _recommender.WaitForBatch(); // of both
        await two.CancelAsync();
        _recommender.Open(1);
        Assert.Equal(5, (await stays)[0].Item); // is answered all the same
    }

    [Fact]
    public async Task A_query_that_is_refused_costs_the_others_nothing_and_a_fault_is_of_every_call()
    {
        var first = Ask(1);
        _recommender.WaitForBatch();
        var (wrong, right) = (Ask(Gated.Wrong), Ask(2));
        _recommender.Open(4);
        await first;
        Assert.Equal(Fault.InvalidArgument, (await Assert.ThrowsAsync<CatalogException>(() => wrong)).Fault);
        Assert.Equal(2, (await right)[0].Item);

        var broken = new Gated();
        broken.Open(1);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Ask(Gated.Broken, of: broken));
        _recommender.Open(1);
        Assert.Equal(7, (await Ask(7))[0].Item); // it goes on
    }

    [Fact]
    public async Task Stopping_lets_the_batch_at_work_end_and_ends_what_waits()
    {
        var first = Ask(1);
        _recommender.WaitForBatch();
        var waits = Ask(2);
        var stopped = Task.Run(_queue.Dispose);
        while (!ThrowsDisposed())
        {
            await Task.Yield();
        }

        _recommender.Open(1);
        await stopped;
        Assert.Equal(1, (await first)[0].Item);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits);
    }

    public void Dispose()
    {
        _recommender.Open(1000);
        _queue.Dispose();
    }

    private bool ThrowsDisposed()
    {
        try
        {
            using var gone = new CancellationTokenSource();
            gone.Cancel(); // leaves no trace where the queue still takes it
            _ = Ask(3, cancel: gone.Token);
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    /// <summary>Makes a batch's time known to the queue.</summary>
    private async Task Measured(double milliseconds)
    {
        var first = Ask(1);
        _recommender.WaitForBatch();
        _clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
        _recommender.Open(1);
        await first;
        while (_queue.Busy > 0)
        {
            await Task.Yield();
        }
    }

    private Task<IReadOnlyList<Recommendation>> Ask(
        int item, int k = 10, int beam = 0, double deadline = double.PositiveInfinity, Gated? of = null,
        CancellationToken cancel = default) =>
        _queue.Answer(
            of ?? _recommender, new RecommendQuery([item], k, beam),
            double.IsInfinity(deadline) ? DateTime.MaxValue : _clock.GetUtcNow().UtcDateTime.AddMilliseconds(deadline), cancel);
}
