using System.Text;
using Recsys.Torch.Safetensors;
using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests.Safetensors;

public sealed class RoundTripTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    private string Model => _folder["model.safetensors"];

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(ScalarType.Bool)]
    [InlineData(ScalarType.Byte)]
    [InlineData(ScalarType.Int8)]
    [InlineData(ScalarType.Int16)]
    [InlineData(ScalarType.Int32)]
    [InlineData(ScalarType.Int64)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void An_element_type_goes_round_in_every_shape(ScalarType type)
    {
        var tensors = new long[][] { [], [0], [3], [2, 0, 5], [4, 3, 2] }.ToDictionary(
            shape => $"[{string.Join(',', shape)}]",
            shape => type == ScalarType.Bool ? Random(6, shape).gt(0) : (Random(6, shape) * 50).to(type));
        SafetensorsFile.Save(Model, tensors);
        var back = SafetensorsFile.Load(Model);
        Assert.Equal(tensors.Keys.Order(), back.Keys.Order());
        foreach (var (name, expected) in tensors)
        {
            Assert.Equal((expected.dtype, name), (back[name].dtype, $"[{string.Join(',', back[name].shape)}]"));
            Assert.Equal(expected.Bytes(), back[name].Bytes());
        }
    }

    [Fact]
    public void Large_tensors_stay_in_the_file_and_what_is_written_to_them_does_not_reach_it()
    {
        string path = Path.Combine(_folder.Path, "large.safetensors");
        var saved = new Dictionary<string, Tensor>
        {
            ["a"] = arange(0, 5000).to(ScalarType.Float32).view(50, 100), ["b"] = tensor(new byte[] { 1, 2, 3 }),
            ["c"] = arange(0, 77), ["d"] = zeros(0, 3), ["e"] = arange(0, 9).to(ScalarType.BFloat16),
        };
        SafetensorsFile.Save(path, saved);
        byte[] before = File.ReadAllBytes(path);
        var found = SafetensorsFile.Load(path, out _, mapped: 0);
        foreach (var (name, tensor) in saved)
        {
            Assert.Equal(tensor.shape, found[name].shape);
            Assert.Equal(tensor.dtype, found[name].dtype);
            Assert.Equal(tensor.bytes.ToArray(), found[name].bytes.ToArray());
        }

        Assert.Contains(path, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        found["a"].fill_(7);
        Assert.Equal(before, File.ReadAllBytes(path));
        File.Delete(path); // a version that is removed while it serves
        Assert.Equal(7 * 5000, found["a"].sum().item<float>());
        Assert.Equal(76 * 77 / 2, found["c"].sum().item<long>());
    }

    [Fact]
    public void Strided_and_trained_tensors_are_written_in_row_major_order()
    {
        var strided = arange(6, dtype: ScalarType.Float32).reshape(2, 3).t().requires_grad_();
        SafetensorsFile.Save(Model, new Dictionary<string, Tensor> { ["t"] = strided, ["part"] = arange(10).slice(0, 1, 10, 4) });
        var back = SafetensorsFile.Load(Model);
        Assert.Equal([0, 3, 1, 4, 2, 5], back["t"].Doubles());
        Assert.Equal([1, 5, 9], back["part"].Doubles());
        Assert.False(back["t"].requires_grad);
    }

    [Fact]
    public void Bytes_are_those_of_the_official_implementation_in_whatever_order_the_tensors_come()
    {
        var tensors = new Dictionary<string, Tensor>
        {
            ["b"] = tensor(new float[] { 1, -2 }), ["a"] = tensor(new byte[] { 7 }), ["z"] = tensor(new long[] { 3 }),
            ["a.w"] = tensor(0.5f).reshape(1, 1),
        };
        const string Json = // greatest alignment first, then by name; padded with spaces to a multiple of 8
            """{"__metadata__":{"format":"pt","x":"1"},"z":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"""
            + """ "a.w":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},"""
            + """ "a":{"dtype":"U8","shape":[1],"data_offsets":[20,21]}}""";
        byte[] data = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3F, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 7];
        string dense = Json.Replace(" ", "", StringComparison.Ordinal);
        byte[] expected = Attack.FileOf(dense.PadRight((dense.Length + 7) / 8 * 8), data);
        SafetensorsFile.Save(Model, tensors, new Dictionary<string, string> { ["x"] = "1", ["format"] = "pt" });
        Assert.Equal(expected, File.ReadAllBytes(Model));
        SafetensorsFile.Save(Model, tensors.Reverse().ToDictionary(), new Dictionary<string, string> { ["format"] = "pt", ["x"] = "1" });
        Assert.Equal(expected, File.ReadAllBytes(Model));
    }

    [Fact]
    public void A_file_made_by_hand_is_read()
    {
        // As the format's page shows it, with blanks where JSON allows them, escapes, and entries out of the order of their data.
        const string Json = """
            { "TEST2" : {"data_offsets":[4,6],"shape":[1,2,1],"dtype":"I8"},
              "x\u0020\"ü\"":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}, "__metadata__": {"what":"by hand"} }
            """;
        File.WriteAllBytes(Model, Attack.FileOf(Json, [0x00, 0x3C, 0x00, 0xC0, 0xFF, 0x05]));
        var tensors = SafetensorsFile.Load(Model, out var metadata);
        Assert.Equal([1, -2], tensors["x \"ü\""].Doubles());
        Assert.Equal([-1, 5], tensors["TEST2"].Doubles());
        Assert.Equal([1, 2, 1], tensors["TEST2"].shape);
        Assert.Equal("by hand", Assert.Single(metadata).Value);
    }

    [Fact]
    public void Metadata_and_names_of_any_text_come_back()
    {
        var metadata = new Dictionary<string, string> { ["ключ"] = "a\"b\\c\n\t\u0001\u2028😀", [""] = "" };
        SafetensorsFile.Save(Model, new Dictionary<string, Tensor> { ["\"\\\b\f\r 日本"] = ones(1), [""] = ones(1) }, metadata);
        Assert.Equal(["", "\"\\\b\f\r 日本"], SafetensorsFile.Load(Model, out var back).Keys.Order(StringComparer.Ordinal));
        Assert.Equal(metadata.OrderBy(pair => pair.Key), back.OrderBy(pair => pair.Key));
    }

    [Fact]
    public void A_failed_save_leaves_the_old_file_and_nothing_beside_it()
    {
        SafetensorsFile.Save(Model, new Dictionary<string, Tensor> { ["a"] = ones(1) });
        byte[] before = File.ReadAllBytes(Model);
        void Fails<T>(string name, Tensor tensor)
            where T : Exception => Assert.Throws<T>(() => SafetensorsFile.Save(Model, new Dictionary<string, Tensor> { [name] = tensor }));
        Fails<SafetensorsException>("__metadata__", ones(1));
        Fails<SafetensorsException>("\ud800", ones(1));
        Fails<SafetensorsException>("complex", zeros(1, dtype: ScalarType.ComplexFloat32));
        var gone = ones(1);
        gone.Dispose();
        Fails<InvalidOperationException>("gone", gone);
        Assert.Throws<DirectoryNotFoundException>(() => SafetensorsFile.Save(_folder["none/x"], new Dictionary<string, Tensor>()));
        Assert.Equal(before, File.ReadAllBytes(Model));
        Assert.Equal([Model], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_file_that_is_not_there_is_an_error_of_the_file_system() =>
        Assert.Throws<FileNotFoundException>(() => SafetensorsFile.Load(_folder["none.safetensors"]));
}
