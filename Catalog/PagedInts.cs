namespace Recsys.Catalog;

/// <summary>
/// Numbers by index, immutable: a changed copy shares all pages but those that were changed, so a change costs what it changes and a
/// pointer for each page. Safe to read from any thread.
/// </summary>
public sealed class PagedInts
{
    private const int Bits = 10, PageSize = 1 << Bits;

    private readonly int[][] _pages; // zeros behind the last number

    private PagedInts(int[][] pages, int count) => (_pages, Count) = (pages, count);

    public int Count { get; }

    public int this[int index] => _pages[index >> Bits][index & (PageSize - 1)];

    public static PagedInts Of(ReadOnlySpan<int> values)
    {
        var pages = new int[(values.Length + PageSize - 1) >> Bits][];
        for (int page = 0; page < pages.Length; page++)
        {
            var part = values[(page << Bits)..];
            pages[page] = new int[PageSize];
            part[..Math.Min(PageSize, part.Length)].CopyTo(pages[page]);
        }

        return new PagedInts(pages, values.Length);
    }

    /// <summary>Changes a copy of this.</summary>
    /// <param name="count">Numbers of the copy, at least as many as here; new ones are 0 until they are set.</param>
    public Builder ToBuilder(int count) => new(_pages, count);

    /// <summary>For one thread.</summary>
    public sealed class Builder
    {
        private readonly int[][] _pages;
        private readonly int _count;
        private readonly HashSet<int> _own = [];

        internal Builder(int[][] pages, int count)
        {
            (_pages, _count) = (new int[(count + PageSize - 1) >> Bits][], count);
            pages.CopyTo(_pages, 0);
            for (int page = pages.Length; page < _pages.Length; page++)
            {
                _pages[page] = new int[PageSize];
                _own.Add(page);
            }
        }

        public int this[int index]
        {
            get => _pages[index >> Bits][index & (PageSize - 1)];
            set
            {
                if (_own.Add(index >> Bits))
                {
                    _pages[index >> Bits] = [.. _pages[index >> Bits]];
                }

                _pages[index >> Bits][index & (PageSize - 1)] = value;
            }
        }

        /// <summary>What was made. The builder must not be used any more.</summary>
        public PagedInts Done() => new(_pages, _count);
    }
}
