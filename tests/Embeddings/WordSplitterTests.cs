using Recsys.Embeddings.Text;

namespace Recsys.Embeddings.Tests;

public class WordSplitterTests
{
    [Theory]
    [InlineData("OPI Nail-Lacquer, 0.5-Fluid Ounce!", "opi nail lacquer 0 5 fluid ounce")]
    [InlineData("Beauty > Skin Care", "beauty skin care")]
    [InlineData("Crème BRÛLÉE", "crème brûlée")]
    [InlineData("МАСКА для лица", "маска для лица")]
    [InlineData("日本酒 and 茶", "日本 本酒 and 茶")]
    [InlineData("SPF50日本 x", "spf50 日本 x")]
    [InlineData("😀 – …", "")]
    [InlineData("", "")]
    [InlineData("bad \ud800 surrogate", "bad surrogate")]
    public void Words_are_lower_case_runs_of_letters_and_digits(string text, string words)
        => Assert.Equal(words, string.Join(' ', WordSplitter.Words(text)));
}
