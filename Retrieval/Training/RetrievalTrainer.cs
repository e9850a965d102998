using System.Runtime.InteropServices;
using Recsys.Retrieval.Evaluation;
using Recsys.Retrieval.Legs;
using Recsys.Retrieval.Legs.Dense;
using Recsys.Retrieval.Legs.Generative;
using Recsys.Retrieval.Legs.Transitions;
using Recsys.Retrieval.Models;

namespace Recsys.Retrieval.Training;

/// <summary>Trains the legs one after the other, and chooses how they are joined. One seed, one model (on a CPU).</summary>
public static class RetrievalTrainer
{
    // Whether a target is among ten says little of one user: it takes many to tell one look from the next. A log-probability says more.
    private const int RankedUsers = 20_000, ScoredUsers = 4000;

    // What projected features begin with: of vectors that items are ranked by, and of those that are read alone.
    private const double RankedDeviation = 0.05, ReadDeviation = 0.5;

    /// <param name="progress">A stage for each leg, of its name; metrics <c>loss</c> (nats an item), <c>learning_rate</c>, and what the leg
    /// reaches on validation targets.</param>
    /// <param name="checkpoint">Where the legs' states are kept; a training that was stopped goes on from there and gives the same
    /// model.</param>
    /// <param name="device">Where to train, and where the model stays: cpu, cuda or cuda:N.</param>
    /// <param name="ranks">The processes that train together; null: this one alone. Only the first one's model has its sum.</param>
    /// <exception cref="CatalogException">Options or data out of range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled between two steps.</exception>
    public static RetrievalModel Train(
        RetrievalTrainingData data, RetrievalOptions options, long seed, IProgress<StageProgress>? progress = null,
        CheckpointPlace? checkpoint = null, string device = "cpu", Ranks? ranks = null, CancellationToken cancel = default)
    {
        ranks ??= Ranks.Alone;
        options.Validate();
        data.Validate();
        bool ranksContent = options.Content?.FeaturesOf(DenseLeg.Content) is { } weights
            && data.Features.Any(part => weights.GetValueOrDefault(part.Name, 1) > 0);
        if (!ranksContent && options is { Transitions: null, Id: null, Generative: null })
        {
            throw CatalogException.Invalid(
                "The items have no embeddings that the leg 'content' reads, and no other leg is to be trained. Train another leg too.");
        }

        var held = data.HeldOut();
        using var scope = NewDisposeScope();
        int[] interactions = data.Training.Interactions(data.Items.Count);
        var standIns = interactions.Contains(0)
            ? StandIns.Of(interactions, data.PaddedFeatures(new DenseOptions().FeaturesOf(DenseLeg.Content)))
            : null;
        var context = new LegContext(data, held, seed, Devices.Of(device), ranks, progress, checkpoint, standIns, cancel);
        var legs = new List<ILeg>();
        GenerativeLeg? generative = null;
        try
        {
            if (options.Transitions is { } transitions)
            {
                progress?.Report(new StageProgress(TransitionLeg.LegName, 0, 1));
                legs.Add(TransitionLeg.Train(
                    data.Training, data.Items.Count, transitions, held, cancel, data.Choices?.Transitions, standIns));
                progress?.Report(new StageProgress(TransitionLeg.LegName, 1, 1));
            }

            if (options.Id is { } id)
            {
                legs.Add(Dense(context, DenseLeg.Id, id, options.ExactItems));
            }

            if (ranksContent)
            {
                legs.Add(Dense(context, DenseLeg.Content, options.Content!, options.ExactItems));
            }

            generative = options.Generative is { } decoding
                ? Generative(context, decoding, legs.OfType<DenseLeg>().FirstOrDefault(leg => leg.Name == DenseLeg.Id), options.ExactItems)
                : null;
            string[] names = [.. legs.Select(leg => leg.Name), .. generative is null ? [] : new[] { GenerativeLeg.LegName }];
            var config = new RetrievalConfig(
                RetrievalConfig.CurrentFormat, names, Sum(names, options.Weights, data.Choices?.Sum), [.. data.Items.CodebookSizes],
                data.Items.Count, options.Beam, seed, context.BestAt);
            var model = new RetrievalModel(config, legs, generative, interactions);
            return ranks.First && held is not null
                ? SumSearch.Choose(model, data.Items, held, options.Weights, seed, progress, cancel)
                : model;
        }
        catch
        {
            legs.ForEach(leg => leg.Dispose());
            generative?.Dispose();
            throw;
        }
    }

    /// <summary>How legs are joined before validation targets have a say.</summary>
    private static LegSum Sum(string[] legs, IReadOnlyDictionary<string, double>? given, LegSum? chosen) =>
        chosen is not null && chosen.Weights.Keys.Order().SequenceEqual(legs.Order()) ? chosen
        : given is null ? LegSum.Even(legs)
        : LegSum.Even(legs) with { Weights = legs.ToDictionary(leg => leg, leg => given.GetValueOrDefault(leg)) };

    private static DenseLeg Dense(LegContext context, string name, DenseOptions options, int exactItems)
    {
        var data = context.Data;
        options = options with { History = Readable(data, options), Features = options.FeaturesOf(name) };
        using var generator = new Generator((ulong)context.Seed);
        var encoder = new SequenceEncoder(options, generator);
        Tensor? table = null;
        try
        {
            bool learns = name == DenseLeg.Id;
            using var vectors = new ItemVectors(
                data.Items.Count, options.Dim, data.PaddedFeatures(options.Features), learns, RankedDeviation, generator);
            encoder.MoveTo(context.Device);
            vectors.MoveTo(context.Device);
            using var training = new DenseTraining(
                encoder, vectors, data.Training, options, context.Seed, context.Device, context.Ranks);
            context.Train(training, name, options, "validation_ndcg@10", RankedUsers, held =>
            {
                using var _ = no_grad();
                using var scope = NewDisposeScope();
                encoder.eval();
                double ndcg = Ndcg(DenseLeg.Logits(encoder, vectors.Table(), options.History), held);
                encoder.train();
                return ndcg;
            });
            var projection = learns ? null : ContentProjection.Of(data.ScaledFeatures(options.Features), vectors.Projection!);
            var config = new DenseConfig(DenseConfig.CurrentFormat, name, options, data.Items.Count, projection?.Parts);
            table = Finished(context, vectors, projectsCold: !learns)!;
            var lists = data.Items.Count > exactItems ? VectorLists.Make(table, data.Items.Count, context.Seed, context.Cancel) : null;
            return new DenseLeg(config, encoder, table, projection, lists: lists);
        }
        catch
        {
            encoder.Dispose();
            table?.Dispose();
            throw;
        }
    }

    /// <param name="teacher">The ID leg; null: there is none.</param>
    /// <param name="exactItems">A table of more is kept in bf16, as those of the dense legs.</param>
    private static GenerativeLeg Generative(LegContext context, GenerativeOptions options, DenseLeg? teacher, int exactItems)
    {
        var data = context.Data;
        options = options with { History = Readable(data, options) };
        using var generator = new Generator((ulong)context.Seed);
        var layout = TokenLayout.For(data.Items);
        var network = GenerativeLeg.Make(layout, options, generator);
        try
        {
            using var vectors = options.ReadsVectors
                ? new ItemVectors(
                    data.Items.Count, options.Dim, data.PaddedFeatures(options.Features), learns: true, ReadDeviation, generator)
                : null;
            network.MoveTo(context.Device);
            vectors?.MoveTo(context.Device);
            using TokenTraining training = network is EncoderDecoder whole
                ? new EncoderDecoderTraining(whole, layout, data, options, context.Seed, context.Device, context.Ranks)
                : new DecoderOnlyTraining(
                    (DecoderOnly)network, vectors, layout, data, options, teacher, context.Seed, context.Device, context.Ranks);
            var from = new { options, teacher = teacher?.Config.Options, rounded = teacher?.Lists is not null };
            context.Train(training, GenerativeLeg.LegName, from, "validation_log_p", ScoredUsers, training.LogProbability);
            var config = new GenerativeConfig(
                GenerativeConfig.CurrentFormat, options, [.. data.Items.CodebookSizes], layout.CollisionTokens, data.Items.Count);
            var table = Finished(context, vectors, projectsCold: false);
            bool rounded = table is not null && data.Items.Count > exactItems;
            return new GenerativeLeg(config, network, rounded ? DenseLeg.Rounded(table!, kept: true) : table);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>The table of trained vectors.</summary>
    /// <param name="projectsCold">Cold items keep the vectors that are projected from their features.</param>
    private static Tensor? Finished(LegContext context, ItemVectors? vectors, bool projectsCold)
    {
        using var _ = no_grad();
        var table = vectors?.Table().detach().clone().DetachFromDisposeScope();
        if (table is not null && !projectsCold)
        {
            context.StandIns?.Fill(table);
        }

        return table;
    }

    /// <summary>A position that no training window reaches would stay random: never read more items than the longest window
    /// taught.</summary>
    private static int Readable(RetrievalTrainingData data, LegOptions options) =>
        Math.Min(options.History, Enumerable.Range(0, data.Training.Count).Max(user => data.Training[user].Length) - 1);

    /// <summary>NDCG@10 with the history's items passed over, unless the target is one of them.</summary>
    private static double Ndcg(Func<IReadOnlyList<IReadOnlyList<int>>, Tensor> logits, HeldOut held)
    {
        double sum = 0;
        foreach (var users in Enumerable.Range(0, held.Count).Chunk(256))
        {
            using var scope = NewDisposeScope();
            var all = logits([.. users.Select(user => held.Histories[user])]).cpu();
            int items = (int)all.size(1);
            var scores = MemoryMarshal.Cast<byte, float>(all.bytes);
            for (int row = 0; row < users.Length; row++)
            {
                var (plain, unseen) = FullRanking.Rank(
                    scores.Slice(row * items, items), held.Targets[users[row]], held.Histories[users[row]]);
                sum += RankingMetrics.Ndcg(unseen < 0 ? plain : unseen, 10);
            }
        }

        return sum / held.Count;
    }
}
