namespace Recsys.Embeddings.Text;

/// <summary>
/// Term weights of a set of documents: (1 + ln tf) · (ln((1 + n) / (1 + df)) + 1), rows at unit length
/// (Manning, Raghavan and Schütze, chapter 6; the smoothing is scikit-learn's).
/// </summary>
/// <param name="Terms">[terms] in ordinal order: the columns.</param>
/// <param name="Weights">[documents × terms]</param>
public sealed record TfIdf(string[] Terms, SparseMatrix Weights)
{
    /// <param name="documents">The words of each document.</param>
    /// <param name="minDocumentFrequency">A term in fewer documents is dropped.</param>
    /// <param name="maxTerms">Of the rest, the terms in the largest number of documents are kept; ties in ordinal order.</param>
    public static TfIdf Of(IReadOnlyList<IReadOnlyList<string>> documents, int minDocumentFrequency, int maxTerms)
    {
        var frequencies = documents.SelectMany(words => words.Distinct(StringComparer.Ordinal))
            .CountBy(word => word, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        var terms = frequencies.Where(t => t.Value >= minDocumentFrequency)
            .OrderByDescending(t => t.Value).ThenBy(t => t.Key, StringComparer.Ordinal)
            .Take(maxTerms).Select(t => t.Key).Order(StringComparer.Ordinal).ToArray();
        var columnOf = terms.Select((term, column) => (term, column)).ToDictionary(t => t.term, t => t.column, StringComparer.Ordinal);
        var idf = terms.Select(t => Math.Log((1.0 + documents.Count) / (1 + frequencies[t])) + 1).ToArray();
        var entries = documents.SelectMany(
            (words, document) => Row(words, columnOf, idf).Select(entry => (Row: (long)document, entry.Column, entry.Weight))).ToArray();
        return new TfIdf(terms, new SparseMatrix(
            documents.Count, terms.Length, Array.ConvertAll(entries, entry => entry.Row),
            Array.ConvertAll(entries, entry => (long)entry.Column), Array.ConvertAll(entries, entry => (float)entry.Weight)));
    }

    private static (int Column, double Weight)[] Row(IReadOnlyList<string> words, Dictionary<string, int> columnOf, double[] idf)
    {
        var row = words.Where(columnOf.ContainsKey).CountBy(word => columnOf[word]).OrderBy(count => count.Key)
            .Select(count => (Column: count.Key, Weight: (1 + Math.Log(count.Value)) * idf[count.Key])).ToArray();
        double norm = Math.Sqrt(row.Sum(entry => entry.Weight * entry.Weight));
        return Array.ConvertAll(row, entry => (entry.Column, entry.Weight / norm));
    }
}
