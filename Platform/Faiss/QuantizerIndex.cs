using Recsys.Faiss.Native;
using static Recsys.Faiss.Native.NativeMethods;

namespace Recsys.Faiss;

/// <summary>An index that holds codes instead of vectors, and the codec that makes them: usable without adding anything.</summary>
public abstract class QuantizerIndex : VectorIndex
{
    private protected QuantizerIndex(IndexHandle handle)
        : base(handle)
    {
    }

    /// <summary>Codes a vector: sub-quantizers side by side, or levels one after the other.</summary>
    public int CodesPerVector => (int)Info.Parts;

    /// <summary>Bits of a code; a codebook has two to this power of entries.</summary>
    public int Bits => (int)Info.Bits;

    /// <summary>Row-major [n, dim] → packed codes [n, <see cref="VectorIndex.CodeBytes"/>], lowest bit first.</summary>
    /// <exception cref="FaissException">Not trained, not whole rows, or a value that is not finite.</exception>
    public unsafe byte[] Encode(ReadOnlySpan<float> vectors)
    {
        ObjectDisposedException.ThrowIf(Handle.IsClosed, this);
        int n = Rows(vectors.Length, Dim, "encode", "vectors");
        var codes = new byte[checked(n * CodeBytes)];
        fixed (float* x = vectors)
        {
            float* values = x;
            Reading(() =>
            {
                Span<byte> error = stackalloc byte[ErrorBytes];
                fixed (byte* codesOut = codes, errorOut = error)
                {
                    Check(rs_faiss_index_encode(Handle, values, n, codesOut, errorOut, error.Length), error, $"{Name} encode");
                }
            });
        }

        return codes;
    }

    /// <summary>Packed codes [n, <see cref="VectorIndex.CodeBytes"/>] → row-major [n, dim].</summary>
    /// <exception cref="FaissException">Not trained, or not whole codes.</exception>
    public unsafe float[] Decode(ReadOnlySpan<byte> codes)
    {
        ObjectDisposedException.ThrowIf(Handle.IsClosed, this);
        int n = Rows(codes.Length, CodeBytes, "decode", "bytes of codes");
        var vectors = new float[checked(n * Dim)];
        fixed (byte* packed = codes)
        {
            byte* bytes = packed;
            Reading(() =>
            {
                Span<byte> error = stackalloc byte[ErrorBytes];
                fixed (float* x = vectors)
                fixed (byte* errorOut = error)
                {
                    Check(rs_faiss_index_decode(Handle, bytes, n, x, errorOut, error.Length), error, $"{Name} decode");
                }
            });
        }

        return vectors;
    }

    /// <summary>Row-major [n, dim] → codes [n, <see cref="CodesPerVector"/>], each from 0 to 2^<see cref="Bits"/> − 1.</summary>
    /// <inheritdoc cref="Encode"/>
    public int[] Assign(ReadOnlySpan<float> vectors) => PackedCodes.Unpack(Encode(vectors), CodeBytes, CodesPerVector, Bits);

    /// <summary>Codes [n, <see cref="CodesPerVector"/>] → row-major [n, dim].</summary>
    /// <exception cref="FaissException">Not trained, not whole rows, or a code out of its range.</exception>
    public float[] Reconstruct(ReadOnlySpan<int> codes)
    {
        Rows(codes.Length, CodesPerVector, "reconstruct", "codes");
        return Decode(PackedCodes.Pack(codes, CodeBytes, CodesPerVector, Bits));
    }

    /// <summary>The entries: [parts, 2^bits, dim / parts] of a product quantizer, [levels, 2^bits, dim] of a residual one.</summary>
    /// <exception cref="FaissException">Not trained.</exception>
    public unsafe float[] Codebooks()
    {
        float[] codebooks = [];
        Reading(() =>
        {
            Span<byte> error = stackalloc byte[ErrorBytes];
            fixed (byte* errorOut = error)
            {
                Check(rs_faiss_index_codebooks(Handle, null, out long values, errorOut, error.Length), error, $"{Name} codebooks");
                codebooks = new float[values];
                fixed (float* found = codebooks)
                {
                    Check(rs_faiss_index_codebooks(Handle, found, out _, errorOut, error.Length), error, $"{Name} codebooks");
                }
            }
        });
        return codebooks;
    }
}
