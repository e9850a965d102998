using Recsys.Torch.Modules;
using static Recsys.Torch.torch.nn;

namespace Recsys.Torch.Tests.Peer;

/// <summary>Modules beside PyTorch's, with the same numbers in parameters of the same names.</summary>
internal static class ModuleTable
{
    internal const string Prelude = OperatorTable.Prelude + """

        from torch import nn
        def w(m):
            for k, q in enumerate(m.parameters()):
                q.data = t(20 + k, *q.shape) * 0.4
            return m
        def trained(m, x):
            m(x)
            m.eval()
            return m(x)
        """;

    internal static Dictionary<string, (Func<Tensor> Ours, string Theirs)> All()
    {
        static M W<M>(M module)
            where M : nn.Module
        {
            module.to(ScalarType.Float64);
            int k = 20;
            using var quiet = no_grad();
            foreach (var parameter in module.parameters())
            {
                parameter.copy_(OperatorTable.T(k++, parameter.shape) * 0.4);
            }

            return module;
        }

        static Tensor Eval(nn.Module<Tensor, Tensor> module, Tensor x)
        {
            module.call(x);
            return Evaluated(module).call(x);
        }

        static M Evaluated<M>(M module)
            where M : nn.Module
        {
            module.eval();
            return module;
        }

        var (a, b, p, v, i, n, z, im, sq, vo) = OperatorTable.Inputs();
        return new()
        {
            ["linear"] = (() => W(nn.Linear(4, 5)).call(a), "w(nn.Linear(4, 5))(a)"),
            ["bilinear"] = (() => W(nn.Bilinear(4, 4, 3)).call(a, b), "w(nn.Bilinear(4, 4, 3))(a, b)"),
            ["conv1d"] = (() => W(nn.Conv1d(4, 6, 3, 2, 1, 1, PaddingModes.Reflect, 2)).call(sq), "w(nn.Conv1d(4, 6, 3, 2, 1, 1, 2, padding_mode='reflect'))(sq)"),
            ["conv2d"] = (() => W(nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), padding_mode: PaddingModes.Circular)).call(im), "w(nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), padding_mode='circular'))(im)"),
            ["conv2d same"] = (() => W(nn.Conv2d(4, 6, 3, Padding.Same)).call(im), "w(nn.Conv2d(4, 6, 3, padding='same'))(im)"),
            ["conv3d"] = (() => W(nn.Conv3d(2, 3, 2, 1, 1)).call(vo), "w(nn.Conv3d(2, 3, 2, 1, 1))(vo)"),
            ["conv_transpose1d"] = (() => W(nn.ConvTranspose1d(4, 6, 3, 2, 1, 1, groups: 2)).call(sq), "w(nn.ConvTranspose1d(4, 6, 3, 2, 1, 1, 2))(sq)"),
            ["conv_transpose2d"] = (() => W(nn.ConvTranspose2d(4, 6, 3, 2, 1)).call(im), "w(nn.ConvTranspose2d(4, 6, 3, 2, 1))(im)"),
            ["conv_transpose2d sized"] = (() => W(nn.ConvTranspose2d(4, 6, 3, 2, 1)).forward(im, [12, 11]), "w(nn.ConvTranspose2d(4, 6, 3, 2, 1))(im, [12, 11])"),
            ["conv_transpose3d"] = (() => W(nn.ConvTranspose3d(2, 3, (2, 2, 1), (2, 1, 1))).call(vo), "w(nn.ConvTranspose3d(2, 3, (2, 2, 1), (2, 1, 1)))(vo)"),
            ["embedding"] = (() => W(nn.Embedding(5, 3, 1)).call(i), "w(nn.Embedding(5, 3, 1))(i)"),
            ["embedding bag"] = (() => W(nn.EmbeddingBag(5, 3)).call(n, tensor(new long[] { 0, 5, 5 })), "w(nn.EmbeddingBag(5, 3))(n, torch.tensor([0, 5, 5]))"),
            ["layer norm"] = (() => W(nn.LayerNorm([2, 4])).call(sq[.., ..2, ..4]), "w(nn.LayerNorm([2, 4]))(sq[:, :2, :4])"),
            ["group norm"] = (() => W(nn.GroupNorm(2, 4)).call(im), "w(nn.GroupNorm(2, 4))(im)"),
            ["batch norm 1d"] = (() => W(nn.BatchNorm1d(4)).call(sq), "w(nn.BatchNorm1d(4))(sq)"),
            ["batch norm 2d eval"] = (() => Eval(W(nn.BatchNorm2d(4)), im), "trained(w(nn.BatchNorm2d(4)), im)"),
            ["batch norm 3d"] = (() => W(nn.BatchNorm3d(2)).call(vo), "w(nn.BatchNorm3d(2))(vo)"),
            ["instance norm 1d"] = (() => W(nn.InstanceNorm1d(4, affine: true)).call(sq), "w(nn.InstanceNorm1d(4, affine=True))(sq)"),
            ["instance norm 2d eval"] = (() => Eval(nn.InstanceNorm2d(4, track_running_stats: true).to(ScalarType.Float64), im), "trained(nn.InstanceNorm2d(4, track_running_stats=True), im)"),
            ["instance norm 3d"] = (() => nn.InstanceNorm3d(2).call(vo), "nn.InstanceNorm3d(2)(vo)"),
            ["local response norm"] = (() => nn.LocalResponseNorm(3, 0.1).call(im), "nn.LocalResponseNorm(3, 0.1)(im)"),
            ["gru"] = (() => W(nn.GRU(4, 5, 2, bidirectional: true)).call(sq.permute(2, 0, 1)).Item1, "w(nn.GRU(4, 5, 2, bidirectional=True))(sq.permute(2, 0, 1))[0]"),
            ["gru state"] = (() => W(nn.GRU(9, 4, batchFirst: true)).call(sq, im[..1, 0, ..2, ..4]).Item2, "w(nn.GRU(9, 4, batch_first=True))(sq, im[:1, 0, :2, :4].contiguous())[1]"),
            ["lstm"] = (() => W(nn.LSTM(4, 5, 2)).call(sq.permute(2, 0, 1)).Item1, "w(nn.LSTM(4, 5, 2))(sq.permute(2, 0, 1))[0]"),
            ["lstm cell"] = (() => W(nn.LSTM(9, 4, bias: false, batchFirst: true)).call(sq, (im[..1, 0, ..2, ..4], im[..1, 1, ..2, ..4])).Item3, "w(nn.LSTM(9, 4, bias=False, batch_first=True))(sq, (im[:1, 0, :2, :4].contiguous(), im[:1, 1, :2, :4].contiguous()))[1][1]"),
            ["multihead attention"] = (() => W(nn.MultiheadAttention(4, 2)).call(sq.permute(2, 0, 1), sq.permute(2, 0, 1) * 2, sq.permute(2, 0, 1), need_weights: false).Item1, "w(nn.MultiheadAttention(4, 2))(sq.permute(2, 0, 1), sq.permute(2, 0, 1) * 2, sq.permute(2, 0, 1))[0]"),
            ["multihead weights"] = (() => W(nn.MultiheadAttention(4, 2)).call(sq.permute(2, 0, 1), sq.permute(2, 0, 1), sq.permute(2, 0, 1), sq[.., 0] > 1, true, ones(9, 9, ScalarType.Bool).triu(1)).Item2!, "w(nn.MultiheadAttention(4, 2))(sq.permute(2, 0, 1), sq.permute(2, 0, 1), sq.permute(2, 0, 1), sq[:, 0] > 1, True, torch.ones(9, 9, dtype=torch.bool).triu(1))[1]"),
            ["activations 1"] = (() => nn.ReLU().call(a) + nn.GELU().call(a) + nn.SiLU().call(a) + nn.Tanh().call(a) + nn.Sigmoid().call(a) + nn.LeakyReLU(0.2).call(a) + nn.Softplus(2, 1).call(a) + nn.Softmax(1).call(a), "nn.ReLU()(a) + nn.GELU()(a) + nn.SiLU()(a) + nn.Tanh()(a) + nn.Sigmoid()(a) + nn.LeakyReLU(0.2)(a) + nn.Softplus(2, 1)(a) + nn.Softmax(1)(a)"),
            ["activations 2"] = (() => nn.ELU(0.7).call(a) + nn.SELU().call(a) + nn.CELU(1.3).call(a) + nn.Hardtanh(-0.3, 0.6).call(a) + nn.Hardsigmoid().call(a) + nn.Hardswish().call(a) + nn.Hardshrink(0.4).call(a) + nn.Softshrink(0.3).call(a), "nn.ELU(0.7)(a) + nn.SELU()(a) + nn.CELU(1.3)(a) + nn.Hardtanh(-0.3, 0.6)(a) + nn.Hardsigmoid()(a) + nn.Hardswish()(a) + nn.Hardshrink(0.4)(a) + nn.Softshrink(0.3)(a)"),
            ["activations 3"] = (() => nn.Tanhshrink().call(a) + nn.Threshold(0.1, 7).call(a) + nn.LogSigmoid().call(a) + nn.LogSoftmax(1).call(a) + nn.Mish().call(a) + nn.ReLU6().call(a) + nn.Softmin(1).call(a) + nn.Softsign().call(a) + W(nn.PReLU(4)).call(a), "nn.Tanhshrink()(a) + nn.Threshold(0.1, 7)(a) + nn.LogSigmoid()(a) + nn.LogSoftmax(1)(a) + nn.Mish()(a) + nn.ReLU6()(a) + nn.Softmin(1)(a) + nn.Softsign()(a) + w(nn.PReLU(4))(a)"),
            ["activations 4"] = (() => nn.GLU(2).call(im[.., .., .., ..4]).sum() + nn.Softmax2d().call(im), "nn.GLU(2)(im[:, :, :, :4]).sum() + nn.Softmax2d()(im)"),
            ["rrelu eval"] = (() => Evaluated(nn.RReLU(0.1, 0.5)).call(a), "nn.RReLU(0.1, 0.5).eval()(a)"),
            ["pools"] = (() => nn.MaxPool2d(2).call(im) + nn.AvgPool2d(2).call(im) + nn.AdaptiveAvgPool2d(3).call(im) + nn.AdaptiveMaxPool2d([3, 3]).call(im), "nn.MaxPool2d(2)(im) + nn.AvgPool2d(2)(im) + nn.AdaptiveAvgPool2d(3)(im) + nn.AdaptiveMaxPool2d(3)(im)"),
            ["pools 1d"] = (() => nn.MaxPool1d(3).call(sq) + nn.AvgPool1d(3).call(sq) + nn.AdaptiveAvgPool1d(3).call(sq) + nn.AdaptiveMaxPool1d(3).call(sq), "nn.MaxPool1d(3)(sq) + nn.AvgPool1d(3)(sq) + nn.AdaptiveAvgPool1d(3)(sq) + nn.AdaptiveMaxPool1d(3)(sq)"),
            ["pools 3d"] = (() => nn.MaxPool3d(2).call(vo) + nn.AvgPool3d([2, 2, 2]).call(vo) + nn.AdaptiveAvgPool3d(2).call(vo) + nn.AdaptiveMaxPool3d([2, 2, 2]).call(vo), "nn.MaxPool3d(2)(vo) + nn.AvgPool3d(2)(vo) + nn.AdaptiveAvgPool3d(2)(vo) + nn.AdaptiveMaxPool3d(2)(vo)"),
            ["upsample"] = (() => nn.Upsample(scale_factor: [2], mode: UpsampleMode.Bilinear).call(im), "nn.Upsample(scale_factor=2, mode='bilinear')(im)"),
            ["pads"] = (() => nn.ReflectionPad2d(1).call(im) + nn.ReplicationPad2d((1, 1, 1, 1)).call(im) + nn.ConstantPad2d(1, 3).call(im) + nn.ZeroPad2d(1).call(im), "nn.ReflectionPad2d(1)(im) + nn.ReplicationPad2d((1, 1, 1, 1))(im) + nn.ConstantPad2d(1, 3)(im) + nn.ZeroPad2d(1)(im)"),
            ["pads 1d 3d"] = (() => nn.ReflectionPad1d((1, 2)).call(sq).sum() + nn.ReplicationPad1d(2).call(sq).sum() + nn.ReplicationPad3d(1).call(vo) + nn.ConstantPad3d(1, 2).call(vo) + nn.ReflectionPad3d(1).call(vo), "nn.ReflectionPad1d((1, 2))(sq).sum() + nn.ReplicationPad1d(2)(sq).sum() + nn.ReplicationPad3d(1)(vo) + nn.ConstantPad3d(1, 2)(vo) + nn.ReflectionPad3d(1)(vo)"),
            ["reshapes"] = (() => nn.PixelUnshuffle(2).call(nn.PixelShuffle(2).call(im)) + nn.ChannelShuffle(2).call(im) + nn.Flatten(2).call(im).view(2, 4, 6, 6) + nn.Unflatten(1, [2, 2]).call(im).view(2, 4, 6, 6), "im + nn.ChannelShuffle(2)(im) + im + im"),
            ["unfold"] = (() => nn.Unfold(3).call(im), "nn.Unfold(3)(im)"),
            ["similarities"] = (() => nn.CosineSimilarity().call(a, b) + nn.PairwiseDistance(3).call(a, b), "nn.CosineSimilarity()(a, b) + nn.PairwiseDistance(3)(a, b)"),
            ["dropouts eval"] = (() => Evaluated(nn.Dropout(0.4)).call(a) + Evaluated(nn.AlphaDropout()).call(a) + Evaluated(nn.Dropout2d()).call(im).sum(), "a + a + im.sum()"),
            ["losses 1"] = (() => nn.MSELoss().call(a, b) + nn.L1Loss().call(a, b) + nn.SmoothL1Loss(beta: 0.4).call(a, b) + nn.HuberLoss(0.6).call(a, b) + nn.SoftMarginLoss().call(a, b.sign()), "nn.MSELoss()(a, b) + nn.L1Loss()(a, b) + nn.SmoothL1Loss(beta=0.4)(a, b) + nn.HuberLoss(delta=0.6)(a, b) + nn.SoftMarginLoss()(a, b.sign())"),
            ["losses 2"] = (() => nn.BCELoss().call(p / 3, z.to(ScalarType.Float64)) + nn.BCEWithLogitsLoss(pos_weights: v.abs()).call(a, p / 3) + nn.NLLLoss().call(a.log_softmax(1), i[.., 0]) + nn.CrossEntropyLoss(p[0], 1).call(a, i[.., 1]), "nn.BCELoss()(p / 3, z.double()) + nn.BCEWithLogitsLoss(pos_weight=v.abs())(a, p / 3) + nn.NLLLoss()(a.log_softmax(1), i[:, 0]) + nn.CrossEntropyLoss(p[0], ignore_index=1)(a, i[:, 1])"),
            ["losses 3"] = (() => nn.KLDivLoss(false, Reduction.Sum).call(a.log_softmax(1), b.softmax(1)) + nn.HingeEmbeddingLoss().call(a, b.sign()) + nn.MultiMarginLoss(2).call(a, i[.., 0]) + nn.MultiLabelSoftMarginLoss().call(a, z.to(ScalarType.Float64)) + nn.PoissonNLLLoss().call(a, p), "nn.KLDivLoss(reduction='sum')(a.log_softmax(1), b.softmax(1)) + nn.HingeEmbeddingLoss()(a, b.sign()) + nn.MultiMarginLoss(2)(a, i[:, 0]) + nn.MultiLabelSoftMarginLoss()(a, z.double()) + nn.PoissonNLLLoss()(a, p)"),
            ["losses 4"] = (() => nn.CosineEmbeddingLoss(0.1).call(a, b, a[.., 0].sign()) + nn.MarginRankingLoss(0.2).call(a, b, p.sign()) + nn.TripletMarginLoss(0.5, swap: true).call(a, b, p) + nn.GaussianNLLLoss(true).call(a, b, p), "nn.CosineEmbeddingLoss(0.1)(a, b, a[:, 0].sign()) + nn.MarginRankingLoss(0.2)(a, b, p.sign()) + nn.TripletMarginLoss(0.5, swap=True)(a, b, p) + nn.GaussianNLLLoss(full=True)(a, b, p)"),
            ["sequential"] = (() => W(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))).call(a), "w(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)))(a)"),
        };
    }
}
