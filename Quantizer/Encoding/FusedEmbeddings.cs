namespace Recsys.Quantizer.Encoding;

/// <summary>The fused vectors of a catalogue.</summary>
/// <param name="Fusion">How they were fused.</param>
/// <param name="Data">[Count × Fusion.Dim], row-major.</param>
/// <param name="Present">[Count]; false where an item has no embedding at all: its row is zero, the middle of the catalogue.</param>
public sealed record FusedEmbeddings(Fusion Fusion, float[] Data, bool[] Present)
{
    public int Count => Present.Length;

    public int Dim => Fusion.Dim;
}
