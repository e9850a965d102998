namespace Recsys.Retrieval.Training;

/// <summary>
/// Fits an <see cref="Interplay"/> to held-out targets: cross-entropy of the target among a user's candidates, beside the weighted sum as
/// it was chosen. Folds of the users say what it is worth: each is judged by a fit on the others.
/// </summary>
internal static class InterplayFit
{
    private const int Units = 16, Epochs = 20, BatchUsers = 64, Folds = 4, LeastTargets = 1000;
    private const double LearningRate = 3e-3, WeightDecay = 1e-3;

    /// <summary>Standard errors that the gain in NDCG@10 must be above 0.</summary>
    private const double Sure = 2;

    /// <param name="weights">[parts] of the sum.</param>
    /// <param name="temperature">Of the sum's probabilities.</param>
    /// <returns>The fit to all users, and [users] what fits without a user's fold say of its candidates; null: not worth it.</returns>
    public static (Interplay Fit, double[][] HeldOut)? Choose(
        HeldCandidates[] users, double[] weights, double temperature, int legs, long seed, CancellationToken cancel)
    {
        if (users.Count(user => user.Target >= 0) < LeastTargets)
        {
            return null;
        }

        var inputs = users.AsParallel().AsOrdered().Select(user => Interplay.Inputs(user.Rows(), legs, user.History)).ToArray();
        double[][] sums = users.AsParallel().AsOrdered().Select(user => user.Sums(weights)).ToArray();
        var fits = new Interplay[Folds + 1]; // the last one to all
        ComputeThreads.Each(
            fits.Length,
            fold => fits[fold] = Fit(users, inputs, sums, user => user % Folds != fold, temperature, legs, seed, cancel), cancel);
        double[][] values = [.. inputs.Index().AsParallel().AsOrdered().Select(user => fits[user.Index % Folds].Of(user.Item))];
        double[] both = [.. weights, 1], alone = [.. users.AsParallel().AsOrdered().Select(user => user.Ndcg(weights))];
        double[] gains = [.. users.Zip(values).AsParallel().AsOrdered().Select(user => user.First.With(user.Second).Ndcg(both)).Zip(
            alone.AsParallel().AsOrdered(), (joined, one) => joined - one)];
        double gain = gains.Average(), error = Math.Sqrt(gains.Average(one => (one - gain) * (one - gain)) / gains.Length);
        return gain <= Sure * error
            ? null
            : (fits[Folds] with { Alone = alone.Average(), Joined = alone.Average() + gain }, values);
    }

    private static Interplay Fit(
        HeldCandidates[] users, double[][] inputs, double[][] sums, Func<int, bool> takes, double temperature, int legs, long seed,
        CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        int width = Interplay.InputCount(legs);
        int[] taken = [.. Enumerable.Range(0, users.Length).Where(user => takes(user) && users[user].Target >= 0)];
        var (means, deviations) = Moments(taken.Select(user => inputs[user]), width);
        using var scale = new Parameter(full([1], 1 / temperature));
        using var direct = new Parameter(zeros(width));
        using var hidden = new Parameter(randn([Units, width], generator: generator) / Math.Sqrt(width));
        using var biases = new Parameter(zeros(Units));
        using var outward = new Parameter(zeros(Units));
        Parameter[] all = [scale, direct, hidden, biases, outward];
        using var optimizer = optim.Adam(all, LearningRate, weight_decay: WeightDecay);
        var random = new Random(Seeds.ToInt32(seed));
        int steps = Epochs * ((taken.Length + BatchUsers - 1) / BatchUsers), step = 0;
        for (int epoch = 0; epoch < Epochs; epoch++)
        {
            random.Shuffle(taken);
            foreach (int[] batch in taken.Chunk(BatchUsers))
            {
                cancel.ThrowIfCancellationRequested();
                using var stepScope = NewDisposeScope();
                var (x, sum, targets) = Padded(batch, users, inputs, sums, means, deviations);
                var logits = (sum * scale) + x.matmul(direct) + functional.linear(x, hidden, biases).tanh().matmul(outward);
                Array.ForEach(all, parameter => parameter.grad = null);
                functional.cross_entropy(logits, targets).backward();
                foreach (var group in optimizer.ParamGroups)
                {
                    group.LearningRate = LearningRate * (1 - ((double)step++ / steps));
                }

                optimizer.step();
            }
        }

        // In the units of the sum.
        double unit = 1 / scale.item<float>();
        double[] Values(Tensor tensor, double times = 1) => [.. Tensors.Values<float>(tensor).ToArray().Select(value => value * times)];
        return new Interplay(
            means, deviations, Values(direct, unit), Values(hidden), Values(biases), Values(outward, unit), 0, 0);
    }

    /// <returns>[inputs] mean and deviation over all candidates.</returns>
    private static (double[] Means, double[] Deviations) Moments(IEnumerable<double[]> inputs, int width)
    {
        var (sums, squares, count) = (new double[width], new double[width], 0L);
        foreach (double[] user in inputs)
        {
            for (int at = 0; at < user.Length; at++)
            {
                double value = double.IsFinite(user[at]) ? user[at] : 0;
                sums[at % width] += value;
                squares[at % width] += value * value;
            }

            count += user.Length / width;
        }

        double[] means = [.. sums.Select(sum => sum / count)];
        return (means, [.. squares.Zip(means, (square, mean) => Math.Sqrt(Math.Max(1e-9, (square / count) - (mean * mean))))]);
    }

    /// <returns>[batch, candidates, inputs], [batch, candidates] far below all where there is no candidate, and [batch].</returns>
    private static (Tensor X, Tensor Sums, Tensor Targets) Padded(
        int[] batch, HeldCandidates[] users, double[][] inputs, double[][] sums, double[] means, double[] deviations)
    {
        int most = batch.Max(user => users[user].Count), width = means.Length;
        var (x, sum) = (new float[batch.Length * most * width], new float[batch.Length * most]);
        Array.Fill(sum, -1e6f);
        foreach (var (row, user) in batch.Index())
        {
            for (int at = 0; at < inputs[user].Length; at++)
            {
                x[(row * most * width) + at] = (float)Interplay.Standard(inputs[user][at], means[at % width], deviations[at % width]);
            }

            for (int at = 0; at < sums[user].Length; at++)
            {
                sum[(row * most) + at] = (float)Math.Max(sums[user][at], -1e6);
            }
        }

        return (
            Tensors.Copy(x, batch.Length, most, width), Tensors.Copy(sum, batch.Length, most),
            tensor(Array.ConvertAll(batch, user => (long)users[user].Target)));
    }
}
