using Recsys.Retrieval.Models;
using Recsys.Retrieval.Training;

namespace Recsys.Retrieval.Legs.Generative;

/// <summary>The optimiser steps of a network that decodes semantic IDs.</summary>
internal abstract class TokenTraining(
    SemanticDecoder network, IReadOnlyList<Module> modules, TokenLayout layout, RetrievalTrainingData data, GenerativeOptions options,
    StepDraws draws, long seed, Device device, Ranks ranks)
    : LegTraining(modules, data.Training, options, draws, seed, device, ranks)
{
    /// <summary>Users that are read at once.</summary>
    private const int Chunk = 512;

    /// <summary>Tried for <see cref="LogProbability"/>.</summary>
    public static readonly IReadOnlyList<double> Temperatures = [1, 1.1, 1.2, 1.35, 1.5, 1.75, 2, 2.5, 3];

    protected TokenLayout Layout { get; } = layout;

    /// <summary>[items × depth] of <see cref="TokenLayout.Codes"/>.</summary>
    protected int[] Codes { get; } = layout.Codes(data.Items);

    protected GenerativeOptions Options { get; } = options;

    protected RetrievalTrainingData Data { get; } = data;

    /// <summary>
    /// The mean log-probability of held-out targets, at the temperature that suits the network best. At temperature 1 one that has
    /// grown too sure of itself looks worse than it ranks, and the weight in the sum sets its scale anyway.
    /// </summary>
    public double LogProbability(HeldOut held)
    {
        using var _ = no_grad();
        network.eval();
        var sums = new double[Temperatures.Count];
        foreach (var users in Enumerable.Range(0, held.Count).Chunk(Chunk))
        {
            using var scope = NewDisposeScope();
            int[] targets = [.. users.Select(user => held.Targets[user])];
            var states = States(
                [.. users.Select(user => held.Users?[user])],
                [.. users.Select(user => new ArraySegment<int>([.. held.Histories[user].TakeLast(Options.History), held.Targets[user]]))]);
            for (int at = 0; at < sums.Length; at++)
            {
                sums[at] -= TokenLoss.Sum(network, states / Temperatures[at], Codes, targets).item<float>(); // logits are linear
            }
        }

        network.train();
        return sums.Max() / held.Count;
    }

    /// <param name="users">[rows] ids, null: unknown.</param>
    /// <param name="windows">[rows] a history and its target.</param>
    /// <returns>[rows, depth, dim] what predicts the targets' tokens.</returns>
    protected abstract Tensor States(string?[] users, ArraySegment<int>[] windows);
}
