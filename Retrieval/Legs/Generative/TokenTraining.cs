using Recsys.Retrieval.Models;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Legs.Generative;

/// <summary>The optimiser steps of a network that decodes semantic IDs.</summary>
internal abstract class TokenTraining(
    SemanticDecoder network, IReadOnlyList<Module> modules, RetrievalTrainingData data, GenerativeOptions options, StepDraws draws,
    long seed, Device device, Ranks ranks)
    : LegTraining(modules, data.Training, options, draws, seed, device, ranks)
{
    /// <summary>Users that are read at once.</summary>
    private const int Chunk = 512;

    protected GenerativeOptions Options { get; } = options;

    protected RetrievalTrainingData Data { get; } = data;

    /// <summary>The mean log-probability of held-out targets.</summary>
    public double LogProbability(HeldOut held)
    {
        using var _ = no_grad();
        network.eval();
        double sum = 0;
        foreach (var users in Enumerable.Range(0, held.Count).Chunk(Chunk))
        {
            using var scope = NewDisposeScope();
            sum += LogProbabilities(
                [.. users.Select(user => held.Users?[user])],
                [.. users.Select(user => new ArraySegment<int>([.. held.Histories[user].TakeLast(Options.History), held.Targets[user]]))])
                .item<float>();
        }

        network.train();
        return sum / held.Count;
    }

    /// <param name="users">[rows] ids, null: unknown.</param>
    /// <param name="windows">[rows] a history and its target.</param>
    /// <returns>The sum of the targets' log-probabilities.</returns>
    protected abstract Tensor LogProbabilities(string?[] users, ArraySegment<int>[] windows);
}
