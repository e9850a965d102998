using System.Runtime.InteropServices;

namespace Recsys.Torch.Kernels;

/// <summary>As in attention.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AttentionCall
{
    public long Heads, Width, Sequences, Tokens;
    public int Causal, Type;
    public nint Offsets, KeyOffsets, Visible;
}

/// <summary>Queries, keys or values, as in attention.cpp: where they are, and elements from one token to the next.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AttentionPart
{
    public nint Data;
    public long Stride;

    /// <summary>All parts of a dense [tokens, parts, heads, width].</summary>
    public static AttentionPart[] Of(Tensor x)
    {
        long size = x.size(2) * x.size(3), bytes = size * x.ElementSize;
        nint start = x.Address();
        return [.. Enumerable.Range(0, (int)x.size(1)).Select(
            part => new AttentionPart { Data = start + (nint)(part * bytes), Stride = x.size(1) * size })];
    }
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

/// <summary>As in codes.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ResidualCodesCall
{
    public long Rows, Levels, Total, Beam;
    public nint Starts, Base, Between, Scores, Codes;
}

/// <summary>greedy.cpp's GreedyCodesCall.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GreedyCodesCall
{
    public long Rows, Dim, Width, Levels;
    public nint Starts, Codes, Base, Lengths, Packed, X, To;
}

/// <summary>As in decoding.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BlockWeights
{
    public nint Gain1, Shift1, Qkv, QkvBias, Output, OutputBias, Gain2, Shift2, Up, UpBias, Down, DownBias;
}

/// <summary>As in decoding.cpp.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BlocksCall
{
    public long Rows, Dim, Heads, Width, Hidden, Layers, First;
    public nint Blocks, Gain, Shift;
    public float Epsilon;
    public nint Store, Offsets, Seen, Wanted;
    public long WantedCount, Half;
}
