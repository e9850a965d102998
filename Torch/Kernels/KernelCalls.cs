using System.Runtime.InteropServices;

namespace Recsys.Torch.Kernels;

/// <summary>As in attention.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AttentionCall
{
    public long Heads, Width, Sequences, Tokens;
    public int Causal, Type;
    public nint Offsets, Projected;
}

/// <summary>As in linear.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LinearCall
{
    public long Rows, Inputs, Outputs, Gelu;
    public nint Input, Weight, Bias;
}

/// <summary>As in residual.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NormCall
{
    public long Rows, Width, First;
    public double P;
    public ulong Seed;
    public float Epsilon;
    public int Type;
    public nint Gain, Shift;
}

/// <summary>As in adamw.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AdamWTensor
{
    public nint Weight, Mean, Square, Gradient;
    public long Length;
    public float Beta1, Beta2, MeanShare, SquareShare, Epsilon, Decay, Step, RootCorrection;
}
