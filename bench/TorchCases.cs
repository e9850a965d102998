namespace Recsys.Bench;

/// <summary>The same work written twice: as the product does it, and as TorchSharp's users write it.</summary>
internal static class TorchCases
{
    public static Action Decoder(bool fused, ScalarType type)
    {
        manual_seed(7);
        Module<Tensor, Tensor> model = fused ? new FusedDecoder() : new PlainDecoder(type);
        var parameters = model.parameters().ToList();
        var optimizer = Optimizer(fused, parameters);
        var stream = randint(0, DecoderShape.Tokens, [DecoderShape.Rows, DecoderShape.Length + 1], dtype: ScalarType.Int64);
        return () =>
        {
            using var scope = NewDisposeScope();
            model.zero_grad();
            Tensor loss;
            using (MixedPrecision.Scope(fused && type == ScalarType.BFloat16))
            {
                var logits = model.forward(stream.narrow(1, 0, DecoderShape.Length));
                loss = functional.cross_entropy(logits.to(ScalarType.Float32), stream.narrow(1, 1, DecoderShape.Length).reshape(-1));
            }

            loss.backward();
            nn.utils.clip_grad_norm_(parameters, 1.0);
            optimizer.step();
        };
    }

    /// <summary>The generative leg's step without its own kernels.</summary>
    public static Action PlainGenerative(ScalarType type)
    {
        manual_seed(7);
        var model = new PlainGenerative(type);
        var parameters = model.parameters().ToList();
        var optimizer = Optimizer(fused: false, parameters);
        long[] shape = [GenerativeShape.Rows, GenerativeShape.Length + 1, GenerativeShape.Depth];
        var codes = randint(0, GenerativeShape.Codes, shape, dtype: ScalarType.Int64);
        return () =>
        {
            using var scope = NewDisposeScope();
            model.zero_grad();
            model.forward(codes).backward();
            nn.utils.clip_grad_norm_(parameters, 1.0);
            optimizer.step();
        };
    }

    public static Action DiTTraining(bool plain)
    {
        manual_seed(7);
        var model = new DiffusionTransformer(plain);
        var optimizer = Optimizer(!plain, [.. model.parameters()]);
        const int batch = DiffusionTransformer.Batch, side = DiffusionTransformer.Side;
        var (pictures, label) = (randn(batch, side, side), randint(0, DiffusionTransformer.Classes, [batch], dtype: ScalarType.Int64));
        return () =>
        {
            using var scope = NewDisposeScope();
            model.zero_grad();
            var (time, noise) = (rand(batch), randn_like(pictures));
            Tensor loss;
            using (MixedPrecision.Scope(!plain))
            {
                var t = time.view(-1, 1, 1);
                loss = functional.mse_loss(model.Forward(((1 - t) * pictures) + (t * noise), time, label).to(ScalarType.Float32), noise);
            }

            loss.backward();
            optimizer.step();
        };
    }

    // Classifier-free guidance costs two passes a step, on every side.
    public static Action DiTSampling(bool plain)
    {
        manual_seed(7);
        var model = new DiffusionTransformer(plain);
        const int batch = DiffusionTransformer.Batch, side = DiffusionTransformer.Side, steps = DiffusionTransformer.SamplingSteps;
        var (start, label, other) = (randn(batch, side, side), zeros(batch, ScalarType.Int64), ones(batch, ScalarType.Int64));
        return () =>
        {
            using var scope = NewDisposeScope();
            using var ungraded = no_grad();
            using var precision = MixedPrecision.Scope(!plain);
            var x = start;
            for (int step = 0; step < steps; step++)
            {
                using var inner = NewDisposeScope();
                var time = full(batch, 1 - ((double)step / steps), ScalarType.Float32);
                var (with, without) = (model.Forward(x, time, label), model.Forward(x, time, other));
                x = (x - ((without + ((with - without) * 3.0)) / steps)).to(ScalarType.Float32).MoveToOuterDisposeScope();
            }
        };
    }

    public static Action AdamW(bool fused)
    {
        var parameters = Enumerable.Range(0, 100).Select(_ => new Parameter(randn(50_000))).ToList();
        foreach (var parameter in parameters)
        {
            parameter.grad = randn(50_000);
        }

        var optimizer = Optimizer(fused, parameters);
        return () => optimizer.step();
    }

    private static AdamW Optimizer(bool fused, List<Parameter> parameters) =>
        fused ? new FusedAdamW(parameters, 1e-3) : optim.AdamW(parameters, 1e-3, weight_decay: 0);
}
