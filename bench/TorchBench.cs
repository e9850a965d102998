namespace Recsys.Bench;

/// <summary>The engine beside plain TorchSharp and beside an earlier build.</summary>
internal static class TorchBench
{
    private const int Short = 15; // calls a round of what takes milliseconds

    public static IReadOnlyList<SuiteCase> Cases { get; } =
    [
        new("decoder training step, bf16", "decoder", () => SuiteCase.Timed(TorchCases.Decoder(fused: true, ScalarType.BFloat16)),
            () =>
                SuiteCase.Timed(TorchCases.Decoder(fused: false, ScalarType.BFloat16)), .30, 1.0, () =>
                    DecoderShape.Flops / Machinery.ProductRate(ScalarType.BFloat16)),
        new(
            "DiT training step, bf16", "dit-training", () => SuiteCase.Timed(TorchCases.DiTTraining(plain: false)),
            () => SuiteCase.Timed(TorchCases.DiTTraining(plain: true)), .35, 1.0,
            () => 3 * DiffusionTransformer.Flops / Machinery.ProductRate(ScalarType.BFloat16), PeerName: SuiteCase.PlainFloat),
        new(
            "DiT sampling, 4 guided steps, bf16", "dit-sampling", () => SuiteCase.Timed(TorchCases.DiTSampling(plain: false)),
            () => SuiteCase.Timed(TorchCases.DiTSampling(plain: true)), null, .9,
            () =>
                2 * DiffusionTransformer.SamplingSteps * DiffusionTransformer.Flops / Machinery.ProductRate(
                    ScalarType.BFloat16), PeerName: SuiteCase.PlainFloat),
        new(
            "U-Net of the creative default, training step", "creative-step", () => () => Workloads.CreativeStep(),
            () => () => Workloads.CreativeStep(bf16: false), null, 1.1,
            PeerName: "the same layers in float32"),
        new("U-Net of the creative default, 4 pictures in 10 guided steps", "creative-drawing", Workloads.CreativeDrawing, null, null, 1.1),
        new(
            "AdamW step, 5 M parameters in 100 tensors", "adamw", () => SuiteCase.Timed(TorchCases.AdamW(fused: true)),
            () => SuiteCase.Timed(TorchCases.AdamW(fused: false)), .1, null,
            () => 5e6 * 4 * 7 / Machinery.CopyRate(), Calls: Short),
        new("beam search, one request, Beauty's shape", "beam", Workloads.BeamSearch, null, null, 1.0, Calls: Short),
    ];
}
