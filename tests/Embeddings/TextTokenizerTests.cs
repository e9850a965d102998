using Recsys.Catalog;
using Recsys.Embeddings.Text;

namespace Recsys.Embeddings.Tests;

public sealed class TextTokenizerTests : IDisposable
{
    private static readonly string[] Vocabulary = System.Text.Encoding.UTF8.GetString(PackagedModels.MiniLm("vocab.txt")).Split('\n');
    private readonly TextTokenizer _tokenizer = TextTokenizer.Bert(PackagedModels.MiniLm("vocab.txt"), 256, "vocab.txt");

    public void Dispose() => _tokenizer.Dispose();

    [Theory]
    [InlineData("Hello, world!", new uint[] { 101, 7592, 1010, 2088, 999, 102 })]
    [InlineData("café résumé", new uint[] { 101, 7668, 13746, 102 })]
    [InlineData("cafe\u0301 re\u0301sume\u0301", new uint[] { 101, 7668, 13746, 102 })] // decomposed
    [InlineData("", new uint[] { 101, 102 })]
    [InlineData(" \t\r\n\u00a0 ", new uint[] { 101, 102 })]
    public void Tokens_are_those_published_for_the_model(string text, uint[] ids) => Assert.Equal(ids, _tokenizer.Encode(text));

    // Words of the vocabulary, looked up by hand: what the tokenizer must split, fold and put together.
    [Theory]
    [InlineData("CAFÉ Crème BRÛLÉE", "cafe cr ##eme br ##ule ##e")]
    [InlineData("one\ntwo\tthree\u00a0four\u3000five", "one two three four five")]
    [InlineData("it’s “red”", "it ’ s “ red ”")]
    [InlineData("$5 ™ 100%", "$ 5 ™ 100 %")]
    [InlineData("日本語 shop", "日 本 語 shop")]
    [InlineData("unaffable", "una ##ffa ##ble")]
    [InlineData("so\u0000ft\u0007 \ufffdhyphen\u200b", "soft h ##yp ##hen")] // control and format characters go
    [InlineData("bad \ud800 half", "bad half")]
    [InlineData("😀", "[UNK]")]
    public void Words_become_the_pieces_that_the_vocabulary_has(string text, string pieces)
        => Assert.Equal(pieces, string.Join(' ', _tokenizer.Encode(text)[1..^1].Select(id => Vocabulary[id].TrimEnd('\r'))));

    [Fact]
    public void Long_texts_are_cut_at_the_models_length_with_both_ends_kept()
    {
        var ids = _tokenizer.Encode(string.Concat(Enumerable.Repeat("word ", 1000)));
        Assert.Equal(256, ids.Length);
        Assert.Equal((101u, 102u), (ids[0], ids[^1]));
    }

    [Fact]
    public void A_word_of_over_a_hundred_letters_is_unknown() => Assert.Equal([101, 100, 102], _tokenizer.Encode(new string('x', 101)));

    [Fact]
    public void A_vocabulary_a_json_and_a_folder_of_either_open_alike_and_other_files_are_typed_errors()
    {
        using var folder = new TemporaryFolder();
        string vocabulary = folder["vocab.txt"], json = folder["tokenizer.json"], text = folder["some.txt"];
        File.WriteAllBytes(vocabulary, PackagedModels.MiniLm("vocab.txt"));
        foreach (string path in new[] { vocabulary, folder.Path })
        {
            using var tokenizer = TextTokenizer.Open(path, 16);
            Assert.Equal([101, 7592, 102], tokenizer.Encode("hello"));
            Assert.Equal(16, tokenizer.Encode(string.Concat(Enumerable.Repeat("word ", 100))).Length);
        }

        File.WriteAllText(json, """
            {"version":"1.0","truncation":null,
             "padding":{"strategy":{"Fixed":9},"direction":"Right","pad_id":0,"pad_type_id":0,"pad_token":"u"},
             "added_tokens":[],"pre_tokenizer":{"type":"Whitespace"},"model":{"type":"WordLevel","vocab":{"u":0,"hello":1},"unk_token":"u"}}
            """);
        using var words = TextTokenizer.Open(folder.Path, 16); // the json goes first; its padding would change every text's mean
        Assert.Equal([1, 0], words.Encode("hello you"));

        File.WriteAllText(text, "hello\nworld\n");
        Assert.Contains("[CLS]", Assert.Throws<CatalogException>(() => TextTokenizer.Open(text, 16)).Message, StringComparison.Ordinal);
        File.WriteAllText(json, "{}");
        Assert.Equal(Fault.InvalidArgument, Assert.Throws<CatalogException>(() => TextTokenizer.Open(json, 16)).Fault);
        File.WriteAllText(json, "[1]");
        Assert.Equal(Fault.InvalidArgument, Assert.Throws<CatalogException>(() => TextTokenizer.Open(json, 16)).Fault);
        Assert.Equal(Fault.NotFound, Assert.Throws<CatalogException>(() => TextTokenizer.Open(folder["none"], 16)).Fault);
    }
}
