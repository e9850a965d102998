using System.Runtime.InteropServices;
using Recsys.Torch.Modules;
using Recsys.Torch.Native;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Optim;

/// <summary>The exports of Platform/Native/optim_*.cpp: one call a step for a whole list of parameters.</summary>
internal static unsafe class NativeOptimizer
{
    private const string Library = NativeLibraryResolver.LibraryName;

    static NativeOptimizer() => NativeLibraryResolver.Register(typeof(NativeOptimizer).Assembly);

    [StructLayout(LayoutKind.Sequential)]
    internal struct AdamFactors
    {
        public double LearningRate;
        public double Beta1;
        public double Beta2;
        public double Epsilon;
        public double WeightDecay;
        public int Amsgrad;
        public int Maximize;
        public int Decoupled;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct SgdFactors
    {
        public double LearningRate;
        public double Momentum;
        public double Dampening;
        public double WeightDecay;
        public int Nesterov;
        public int Maximize;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct AdagradFactors
    {
        public double LearningRate;
        public double LearningRateDecay;
        public double WeightDecay;
        public double Epsilon;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct LionFactors
    {
        public double LearningRate;
        public double Beta1;
        public double Beta2;
        public double WeightDecay;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct AdafactorFactors
    {
        public double LearningRate;
        public double Beta2Decay;
        public double Epsilon1;
        public double Epsilon2;
        public double ClipThreshold;
        public double WeightDecay;
    }

    internal static void Adam(IList<Tensor> parameters, IList<Tensor>[] slots, long[] steps, AdamFactors factors)
    {
        using var held = new HeldTensors(parameters);
        using var averages = new HeldTensors(slots[0]);
        using var squares = new HeldTensors(slots[1]);
        using var maxima = new HeldTensors(factors.Amsgrad != 0 ? slots[2] : null);
        fixed (nint* p = held.Handles, m = averages.Handles, v = squares.Handles, x = maxima.Handles)
        fixed (long* s = steps)
        {
            Check.Ok(rs_optim_adam(p, m, v, x, s, held.Count, &factors), "optimizer step");
        }
    }

    internal static void Sgd(IList<Tensor> parameters, IList<Tensor>[] slots, long[] steps, SgdFactors factors)
    {
        using var held = new HeldTensors(parameters);
        using var buffers = new HeldTensors(factors.Momentum != 0 ? slots[0] : null);
        fixed (nint* p = held.Handles, b = buffers.Handles)
        fixed (long* s = steps)
        {
            Check.Ok(rs_optim_sgd(p, b, s, held.Count, &factors), "optimizer step");
        }
    }

    internal static void Adagrad(IList<Tensor> parameters, IList<Tensor>[] slots, long[] steps, AdagradFactors factors)
    {
        using var held = new HeldTensors(parameters);
        using var sums = new HeldTensors(slots[0]);
        fixed (nint* p = held.Handles, q = sums.Handles)
        fixed (long* s = steps)
        {
            Check.Ok(rs_optim_adagrad(p, q, s, held.Count, &factors), "optimizer step");
        }
    }

    internal static void Lion(IList<Tensor> parameters, IList<Tensor>[] slots, long[] steps, LionFactors factors)
    {
        using var held = new HeldTensors(parameters);
        using var momenta = new HeldTensors(slots[0]);
        fixed (nint* p = held.Handles, m = momenta.Handles)
        fixed (long* s = steps)
        {
            Check.Ok(rs_optim_lion(p, m, s, held.Count, &factors), "optimizer step");
        }
    }

    internal static void Adafactor(IList<Tensor> parameters, IList<Tensor>[] slots, long[] steps, AdafactorFactors factors)
    {
        using var held = new HeldTensors(parameters);
        using var rows = new HeldTensors(slots[0]);
        using var columns = new HeldTensors(slots[1]);
        using var whole = new HeldTensors(slots[2]);
        fixed (nint* p = held.Handles, r = rows.Handles, c = columns.Handles, w = whole.Handles)
        fixed (long* s = steps)
        {
            Check.Ok(rs_optim_adafactor(p, r, c, w, s, held.Count, &factors), "optimizer step");
        }
    }

    internal static void ZeroGradients(IList<Tensor> parameters, bool setToNone)
    {
        using var held = new HeldTensors(parameters);
        fixed (nint* p = held.Handles)
        {
            Check.Ok(rs_optim_zero_grad(p, held.Count, setToNone ? 1 : 0), "zero_grad");
        }
    }

    internal static double ClipGradients(IList<Tensor> parameters, double maxNorm, double normType)
    {
        using var held = new HeldTensors(parameters);
        double total;
        fixed (nint* p = held.Handles)
        {
            Check.Ok(rs_optim_clip_grad_norm(p, held.Count, maxNorm, normType, &total), "clip_grad_norm_");
        }

        return total;
    }

    /// <summary>targets += weight·(sources − targets).</summary>
    internal static void Lerp(IList<Tensor> targets, IList<Tensor> sources, double weight)
    {
        using var to = new HeldTensors(targets);
        using var from = new HeldTensors(sources);
        fixed (nint* t = to.Handles, s = from.Handles)
        {
            Check.Ok(rs_optim_lerp(t, s, to.Count, weight), "average of weights");
        }
    }

    [DllImport(Library)] private static extern Status rs_optim_adam(nint* parameters, nint* averages, nint* squares, nint* maxima, long* steps, int count, AdamFactors* factors);
    [DllImport(Library)] private static extern Status rs_optim_sgd(nint* parameters, nint* buffers, long* steps, int count, SgdFactors* factors);
    [DllImport(Library)] private static extern Status rs_optim_adagrad(nint* parameters, nint* sums, long* steps, int count, AdagradFactors* factors);
    [DllImport(Library)] private static extern Status rs_optim_lion(nint* parameters, nint* momenta, long* steps, int count, LionFactors* factors);
    [DllImport(Library)] private static extern Status rs_optim_adafactor(nint* parameters, nint* rows, nint* columns, nint* whole, long* steps, int count, AdafactorFactors* factors);
    [DllImport(Library)] private static extern Status rs_optim_zero_grad(nint* parameters, int count, int setToNone);
    [DllImport(Library)] private static extern Status rs_optim_clip_grad_norm(nint* parameters, int count, double maxNorm, double normType, double* total);
    [DllImport(Library)] private static extern Status rs_optim_lerp(nint* targets, nint* sources, int count, double weight);
}
