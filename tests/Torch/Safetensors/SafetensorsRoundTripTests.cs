using System.Buffers.Binary;
using System.Text;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests.Safetensors;

public sealed class SafetensorsRoundTripTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-safetensors").FullName;

    private string File_ => Path.Combine(_folder, "model.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Every_dtype_and_shape_goes_round_through_a_file()
    {
        using var scope = NewDisposeScope();
        manual_seed(6);
        Dictionary<string, Tensor> tensors = [];
        foreach (ScalarType type in Enum.GetValues<ScalarType>())
        {
            foreach (long[] shape in new long[][] { [], [0], [3], [2, 0, 5], [4, 3, 2] })
            {
                Tensor values = type == ScalarType.Bool ? rand(shape).gt(0.5) : (randn(shape) * 50).to(type);
                tensors[$"{type}[{string.Join(',', shape)}]"] = values;
            }
        }

        SafetensorsFile.Save(File_, tensors);
        Dictionary<string, Tensor> back = SafetensorsFile.Load(File_);
        Assert.Equal(tensors.Keys.Order(), back.Keys.Order());
        foreach ((string name, Tensor expected) in tensors)
        {
            Assert.Equal(expected.dtype, back[name].dtype);
            Assert.Equal(expected.shape, back[name].shape);
            Assert.True(expected.bytes.SequenceEqual(back[name].bytes), name);
        }
    }

    [Fact]
    public void Strided_and_trained_tensors_are_written_in_row_major_order()
    {
        using var scope = NewDisposeScope();
        Tensor t = arange(6, dtype: ScalarType.Float32).reshape(2, 3).t().requires_grad_();
        Dictionary<string, Tensor> back = SafetensorsFile.Load(SafetensorsFile.ToBytes(new Dictionary<string, Tensor> { ["t"] = t }));
        Assert.Equal([0f, 3, 1, 4, 2, 5], back["t"].data<float>().ToArray());
        Assert.False(back["t"].requires_grad);
    }

    [Fact]
    public void Bytes_are_those_of_the_official_implementation()
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>
        {
            ["b"] = tensor(new float[] { 1, -2 }),
            ["a"] = tensor(new byte[] { 7 }),
            ["z"] = tensor(new long[] { 3 }),
            ["a.w"] = tensor(new float[] { 0.5f }).reshape(1, 1),
        };
        // Greatest alignment first, then by name; header padded with spaces to a multiple of 8.
        const string Json = """
            {"__metadata__":{"format":"pt"},"z":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"a.w":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},"a":{"dtype":"U8","shape":[1],"data_offsets":[20,21]}}
            """;
        string padded = Json.PadRight((Json.Length + 7) / 8 * 8);
        byte[] expected =
        [
            .. BitConverter.GetBytes((long)padded.Length), .. Encoding.UTF8.GetBytes(padded), .. BitConverter.GetBytes(3L), .. BitConverter.GetBytes(0.5f),
            .. BitConverter.GetBytes(1f), .. BitConverter.GetBytes(-2f), 7,
        ];
        Assert.Equal(expected, SafetensorsFile.ToBytes(tensors, new Dictionary<string, string> { ["format"] = "pt" }));
    }

    [Fact]
    public void A_file_made_by_hand_is_read()
    {
        // The format's own documentation, with blanks where JSON allows them and offsets out of order.
        const string Json = """
            { "y" : {"data_offsets":[4,6],"shape":[1,2,1],"dtype":"I8"},
              "x\u0020\"ü\"":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}, "__metadata__": {} }
            """;
        byte[] header = Encoding.UTF8.GetBytes(Json);
        byte[] file = [.. BitConverter.GetBytes((long)header.Length), .. header, 0x00, 0x3C, 0x00, 0xC0, 0xFF, 0x05];
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors = SafetensorsFile.Load(file);
        Assert.Equal([(Half)1, (Half)(-2)], tensors["x \"ü\""].data<Half>().ToArray());
        Assert.Equal([(sbyte)-1, (sbyte)5], tensors["y"].data<sbyte>().ToArray());
    }

    [Fact]
    public void Metadata_and_names_of_any_text_come_back()
    {
        using var scope = NewDisposeScope();
        var metadata = new Dictionary<string, string> { ["ключ"] = "a\"b\\c\n\t\u0001\u2028😀", [""] = "" };
        var tensors = new Dictionary<string, Tensor> { ["\"\\\b\f\r 日本"] = ones(1), [""] = ones(1) };
        SafetensorsFile.Save(File_, tensors, metadata);
        using SafetensorsFile file = SafetensorsFile.Open(File_);
        Assert.Equal(metadata, file.Metadata);
        Assert.Equal(tensors.Keys.Order(), file.Entries.Select(e => e.Name).Order());
    }

    [Fact]
    public void The_same_tensors_give_the_same_bytes_in_whatever_order_they_come()
    {
        using var scope = NewDisposeScope();
        Tensor a = ones(2), b = zeros(3), c = arange(3, dtype: ScalarType.Int64);
        byte[] one = SafetensorsFile.ToBytes(new Dictionary<string, Tensor> { ["a"] = a, ["b"] = b, ["c"] = c }, new Dictionary<string, string> { ["x"] = "1", ["y"] = "2" });
        byte[] two = SafetensorsFile.ToBytes(new Dictionary<string, Tensor> { ["c"] = c, ["b"] = b, ["a"] = a }, new Dictionary<string, string> { ["y"] = "2", ["x"] = "1" });
        Assert.Equal(one, two);
        Assert.Equal(0, BinaryPrimitives.ReadInt64LittleEndian(one) % 8);
    }

    [Fact]
    public void A_module_goes_round_and_a_single_tensor_can_be_read()
    {
        using var scope = NewDisposeScope();
        using var from = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4));
        using var to = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4));
        SafetensorsFile.Save(File_, from.state_dict());
        to.load_state_dict(SafetensorsFile.Load(File_));
        Assert.Equal(SafetensorsFile.ToBytes(from.state_dict()), SafetensorsFile.ToBytes(to.state_dict()));
        using SafetensorsFile file = SafetensorsFile.Open(File_);
        Assert.True(file.Read("0.weight").allclose(from.get_parameter("0.weight")!, 0, 0));
        Assert.Contains("no tensor 'nothing'", Assert.Throws<SafetensorsException>(() => file.Read("nothing")).Message);
    }

    [Fact]
    public void A_failed_save_leaves_the_old_file_and_nothing_beside_it()
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Save(File_, new Dictionary<string, Tensor> { ["a"] = ones(1) });
        byte[] before = File.ReadAllBytes(File_);
        Assert.Throws<SafetensorsException>(() => SafetensorsFile.Save(File_, new Dictionary<string, Tensor> { ["__metadata__"] = ones(1) }));
        Assert.Throws<SafetensorsException>(() => SafetensorsFile.Save(File_, new Dictionary<string, Tensor> { ["\ud800"] = ones(1) }));
        Tensor gone = ones(1);
        gone.Dispose();
        Assert.Throws<ObjectDisposedException>(() => SafetensorsFile.Save(File_, new Dictionary<string, Tensor> { ["a"] = gone }));
        Assert.Throws<DirectoryNotFoundException>(() => SafetensorsFile.Save(Path.Combine(_folder, "none", "x"), new Dictionary<string, Tensor> { ["a"] = ones(1) }));
        Assert.Equal(before, File.ReadAllBytes(File_));
        Assert.Equal([File_], Directory.GetFiles(_folder));
    }

    [Fact]
    public void Loading_leaks_nothing_when_it_fails_half_way()
    {
        byte[] bytes;
        using (NewDisposeScope())
        {
            bytes = SafetensorsFile.ToBytes(new Dictionary<string, Tensor> { ["a"] = ones(4), ["flag"] = ones(1).to(ScalarType.Bool) });
        }

        bytes[^1] = 2;
        long baseline = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Assert.Contains("neither 0 nor 1", Assert.Throws<SafetensorsException>(() => SafetensorsFile.Load(bytes)).Message);
        Assert.Equal(baseline, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}
