namespace Recsys.Retrieval.Legs;

/// <summary>
/// One way to rank the next item. Legs are trained apart and their scores summed: what each alone misses, another finds
/// (EnsRec, arXiv 2512.17820).
/// </summary>
public interface ILeg : IDisposable
{
    /// <summary>Stable lower-case name: the key of its weight and of its part of a score.</summary>
    string Name { get; }

    /// <summary>The score of every item that the leg was trained with, as the next one of each history.</summary>
    /// <param name="histories">[rows] item indexes, oldest first; those beyond the trained items are passed over.</param>
    /// <returns>[rows, items] float32, on the CPU, larger is better.</returns>
    Tensor Scores(IReadOnlyList<IReadOnlyList<int>> histories);

    /// <summary>Writes its files into a folder, made where it is missing.</summary>
    void Save(string folder);
}
