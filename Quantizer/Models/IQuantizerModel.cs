namespace Recsys.Quantizer.Models;

/// <summary>Fused vectors to codes and back. Safe to use from any thread.</summary>
public interface IQuantizerModel : IDisposable
{
    /// <summary>Values of one input vector.</summary>
    int InputDim { get; }

    /// <summary>[levels] codes at each level.</summary>
    IReadOnlyList<int> Sizes { get; }

    /// <summary>Where it computes.</summary>
    Device Device { get; }

    /// <summary>Moves the weights; not while another thread encodes.</summary>
    void MoveTo(Device device);

    /// <summary>The codes of n vectors, coarse to fine.</summary>
    /// <param name="x">[n × InputDim], row-major.</param>
    /// <returns>[n × levels]</returns>
    ushort[] Encode(ReadOnlySpan<float> x, int n);

    /// <summary>The vectors that codes stand for.</summary>
    /// <param name="codes">[n × levels]</param>
    /// <returns>[n × InputDim]</returns>
    float[] Reconstruct(ReadOnlySpan<ushort> codes, int n);
}
