namespace Recsys.Catalog.Ports;

/// <summary>A part of a version that ranks items by what they are, and so ranks new ones that its training never saw.</summary>
public interface IItemVectors
{
    /// <summary>What it ranks an item by.</summary>
    /// <param name="embeddings">By name, of the sizes that the version was trained on; those that it does not read are passed over.</param>
    /// <returns>Empty: it reads none of them.</returns>
    ReadOnlyMemory<float> VectorOf(IReadOnlyDictionary<string, ReadOnlyMemory<float>> embeddings);
}
