namespace Recsys.Retrieval.Legs;

/// <summary>
/// One way to rank the next item. Legs are trained apart and their scores summed: what each alone misses, another finds
/// (EnsRec, arXiv 2512.17820).
/// </summary>
public interface ILeg : IDisposable
{
    /// <summary>Stable lower-case name: the key of its weight and of its part of a score.</summary>
    string Name { get; }

    /// <summary>Most items of a history that it reads.</summary>
    int History { get; }

    /// <summary>The score of every item that the leg knows, as the next one of each history.</summary>
    /// <param name="histories">[rows] item indexes, oldest first; those that the leg does not know are passed over.</param>
    /// <param name="fresh">Items that came after training; null: none.</param>
    /// <param name="weights">[rows] how much each item of a history counts, for legs that can weigh; null: all alike.</param>
    /// <returns>[rows, trained and then fresh items] float32, on the CPU, larger is better; NaN: it knows nothing of the item.</returns>
    Tensor Scores(
        IReadOnlyList<IReadOnlyList<int>> histories, NewItems? fresh = null, IReadOnlyList<IReadOnlyList<double>?>? weights = null);

    /// <summary>Whether <see cref="Search"/> looks at fewer items than all.</summary>
    internal bool Searches => false;

    /// <summary>The same for what answers are chosen from: not every item need have been looked at.</summary>
    /// <param name="histories">[rows]</param>
    /// <returns>[rows]</returns>
    internal ILegScores[] Search(
        IReadOnlyList<IReadOnlyList<int>> histories, NewItems? fresh, IReadOnlyList<IReadOnlyList<double>?>? weights) =>
        FullScores.Of(Scores(histories, fresh, weights));

    /// <summary>Writes its files into a folder, made where it is missing.</summary>
    void Save(string folder);
}
