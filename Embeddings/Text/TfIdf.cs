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
        var frequencies = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string term in documents.SelectMany(d => d.Distinct(StringComparer.Ordinal)))
        {
            frequencies[term] = frequencies.GetValueOrDefault(term) + 1;
        }

        var terms = frequencies.Where(t => t.Value >= minDocumentFrequency)
            .OrderByDescending(t => t.Value).ThenBy(t => t.Key, StringComparer.Ordinal)
            .Take(maxTerms).Select(t => t.Key).Order(StringComparer.Ordinal).ToArray();
        var columnOf = terms.Select((term, column) => (term, column)).ToDictionary(t => t.term, t => t.column, StringComparer.Ordinal);
        var idf = terms.Select(t => Math.Log((1.0 + documents.Count) / (1 + frequencies[t])) + 1).ToArray();
        var (rows, columns, values) = (new List<long>(), new List<long>(), new List<float>());
        for (int document = 0; document < documents.Count; document++)
        {
            foreach (var (column, weight) in Row(documents[document], columnOf, idf))
            {
                rows.Add(document);
                columns.Add(column);
                values.Add((float)weight);
            }
        }

        return new TfIdf(terms, new SparseMatrix(documents.Count, terms.Length, [.. rows], [.. columns], [.. values]));
    }

    private static (int Column, double Weight)[] Row(IReadOnlyList<string> words, Dictionary<string, int> columnOf, double[] idf)
    {
        var counts = new SortedDictionary<int, int>();
        foreach (string word in words)
        {
            if (columnOf.TryGetValue(word, out int column))
            {
                counts[column] = counts.GetValueOrDefault(column) + 1;
            }
        }

        var row = counts.Select(c => (Column: c.Key, Weight: (1 + Math.Log(c.Value)) * idf[c.Key])).ToArray();
        double norm = Math.Sqrt(row.Sum(e => e.Weight * e.Weight));
        return Array.ConvertAll(row, e => (e.Column, e.Weight / norm));
    }
}
