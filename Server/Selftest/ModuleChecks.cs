using Recsys.Torch;
using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Server.Selftest;

/// <summary>Modules, forward and backward.</summary>
internal static class ModuleChecks
{
    public static IReadOnlyList<ModuleCheck> All { get; } =
    [
        new("Linear", [6, 16], () => nn.Linear(16, 8)),
        new("Conv1d", [2, 4, 9], () => nn.Conv1d(4, 6, 3, 2, 1)),
        new("Conv2d", [2, 4, 8, 8], () => nn.Conv2d(4, 6, 3, 1, 1, groups: 2)),
        new("Conv2d, reflecting", [2, 4, 8, 8], () => nn.Conv2d(4, 6, 3, 1, 1, padding_mode: PaddingModes.Reflect)),
        new("Conv3d", [1, 2, 4, 4, 4], () => nn.Conv3d(2, 3, 2)),
        new("ConvTranspose1d", [2, 4, 7], () => nn.ConvTranspose1d(4, 6, 3, 2)),
        new("ConvTranspose2d", [2, 4, 5, 5], () => nn.ConvTranspose2d(4, 6, 4, 2, 1)),
        new("ConvTranspose3d", [1, 2, 3, 3, 3], () => nn.ConvTranspose3d(2, 3, 2, 2)),
        new("LayerNorm", [6, 16], () => nn.LayerNorm(16)),
        new("RMSNorm", [6, 16], () => nn.RMSNorm(16)),
        new("GroupNorm", [2, 8, 5, 5], () => nn.GroupNorm(4, 8)),
        new("BatchNorm1d", [6, 8], () => nn.BatchNorm1d(8)),
        new("BatchNorm2d", [4, 8, 5, 5], () => nn.BatchNorm2d(8)),
        new("BatchNorm3d", [2, 3, 3, 3, 3], () => nn.BatchNorm3d(3)),
        new("InstanceNorm2d", [2, 8, 5, 5], () => nn.InstanceNorm2d(8, affine: true)),
        new("PReLU", [4, 5], () => nn.PReLU(5)),
        new("GRU", [7, 3, 6], () => new First<GRU>(nn.GRU(6, 5, 2, bidirectional: true), (gru, x) => gru.call(x).Item1)),
        new("LSTM", [7, 3, 6], () => new First<LSTM>(nn.LSTM(6, 5), (lstm, x) => lstm.call(x).Item1)),
        new("MultiheadAttention", [7, 3, 8], () => new First<MultiheadAttention>(nn.MultiheadAttention(8, 2), (attention, x) => attention.call(x, x, x, need_weights: false).Item1)),
        new("Embedding", [4, 6], () => new First<Embedding>(nn.Embedding(5, 6), (table, x) => table.call(x.argmax(1).remainder(5)) * x)),
        new("EmbeddingBag", [4, 6], () => new First<EmbeddingBag>(nn.EmbeddingBag(5, 6, mode: EmbeddingBagMode.Sum), (bag, x) => bag.call(x.argsort(1).remainder(5)) * x)),
        new("Sequential perceptron", [6, 16], () => nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.LayerNorm(32), nn.Linear(32, 4))),
        new("Residual convolutions", [2, 3, 8, 8], () => nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1), nn.GroupNorm(2, 8), nn.SiLU(), nn.AvgPool2d(2), nn.Upsample(scale_factor: [2]), nn.Conv2d(8, 3, 3, 1, 1))),
    ];

    /// <summary>A module of another shape, as one of one input.</summary>
    private sealed class First<TInner> : nn.Module<Tensor, Tensor>
        where TInner : nn.Module
    {
        private readonly TInner inner;
        private readonly Func<TInner, Tensor, Tensor> _run;

        public First(TInner module, Func<TInner, Tensor, Tensor> run)
            : base(typeof(TInner).Name)
        {
            (inner, _run) = (module, run);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => _run(inner, input);
    }
}
