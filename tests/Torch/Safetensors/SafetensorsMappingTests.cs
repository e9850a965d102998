using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Tests.Safetensors;

/// <summary>Tensors that are a file's own pages.</summary>
public sealed class SafetensorsMappingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("recsys-mapping").FullName;

    private string File_ => Path.Combine(_folder, "model.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Mapped_tensors_are_the_same_as_read_ones_whatever_dtype_and_shape()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        Dictionary<string, Tensor> tensors = [];
        foreach (ScalarType type in Enum.GetValues<ScalarType>())
        {
            foreach (long[] shape in new long[][] { [], [0], [3], [2, 0, 5], [4, 3, 2], [50, 100] })
            {
                tensors[$"{type}[{string.Join(',', shape)}]"] = type == ScalarType.Bool ? rand(shape).gt(0.5) : (randn(shape) * 50).to(type);
            }
        }

        SafetensorsFile.Save(File_, tensors);
        Dictionary<string, Tensor> read = SafetensorsFile.Load(File_), mapped = SafetensorsFile.Load(File_, mapped: true);
        Assert.Equal(read.Keys, mapped.Keys);
        foreach ((string name, Tensor expected) in read)
        {
            Assert.Equal((expected.dtype, string.Join(',', expected.shape)), (mapped[name].dtype, string.Join(',', mapped[name].shape)));
            Assert.True(expected.bytes.SequenceEqual(mapped[name].bytes), name);
        }
    }

    [Fact]
    public void Nothing_is_copied_and_a_write_never_reaches_the_file()
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Save(File_, new Dictionary<string, Tensor> { ["a"] = arange(1_000_000, dtype: ScalarType.Float32), ["b"] = ones(5) });
        byte[] before = File.ReadAllBytes(File_);
        Dictionary<string, Tensor> tensors = SafetensorsFile.Load(File_, mapped: true);
        (long from, long to) = Assert.Single(Mappings());
        Assert.All(tensors.Values, t => Assert.InRange(Address(t), from, to - t.bytes.Length));
        tensors["a"].add_(1);
        Assert.Equal(1_000_000f, tensors["a"][999_999].item<float>());
        Assert.Equal(before, File.ReadAllBytes(File_));
        Assert.Equal(0f, SafetensorsFile.Load(File_, mapped: true)["a"][0].item<float>());
    }

    [Fact]
    public void The_mapping_lives_exactly_as_long_as_the_last_tensor_that_uses_it()
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Save(File_, new Dictionary<string, Tensor> { ["a"] = ones(4000), ["b"] = arange(8, dtype: ScalarType.Float32) });
        Garbage.Collect();
        long live = Tensor.TotalCount;
        Tensor view;
        using (SafetensorsFile file = SafetensorsFile.Open(File_, mapped: true))
        {
            file.Read("a").Dispose();
            Tensor b = file.Read("b");
            Assert.Equal(live + 1, Tensor.TotalCount);
            view = b[TensorIndex.Slice(2, 5)];
            b.Dispose();
        }

        Assert.Single(Mappings());
        Assert.Equal([2f, 3, 4], view.data<float>().ToArray());
        view.Dispose();
        Assert.Empty(Mappings());
        Assert.Equal(live, Tensor.TotalCount);
    }

    [Fact]
    public void An_opened_file_without_tensors_is_unmapped_when_it_is_closed()
    {
        using (NewDisposeScope())
        {
            SafetensorsFile.Save(File_, new Dictionary<string, Tensor> { ["a"] = ones(4) });
        }

        SafetensorsFile file = SafetensorsFile.Open(File_, mapped: true);
        Assert.Single(Mappings());
        file.Dispose();
        file.Dispose();
        Assert.Empty(Mappings());
        Assert.Throws<ObjectDisposedException>(() => file.Read("a"));
    }

    [Fact]
    public void Bytes_of_mapped_tensors_are_told_and_taken_back()
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Save(File_, new Dictionary<string, Tensor> { ["a"] = ones(250_000) });
        Garbage.Collect();
        long before = LiveTensorBytes;
        Tensor a = SafetensorsFile.Load(File_, mapped: true)["a"];
        Assert.Equal(before + 1_000_000, LiveTensorBytes);
        a.Dispose();
        Assert.Equal(before, LiveTensorBytes);
    }

    [Fact]
    public void Saving_over_a_mapped_file_leaves_its_tensors_as_they_were()
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Save(File_, new Dictionary<string, Tensor> { ["a"] = ones(100_000) });
        Tensor old = SafetensorsFile.Load(File_, mapped: true)["a"];
        SafetensorsFile.Save(File_, new Dictionary<string, Tensor> { ["a"] = old * 2 });
        Assert.Equal(100_000f, old.sum().item<float>());
        Assert.Equal(200_000f, SafetensorsFile.Load(File_, mapped: true)["a"].sum().item<float>());
    }

    [Fact]
    public void A_file_cut_short_before_a_tensor_is_asked_for_is_refused()
    {
        using var scope = NewDisposeScope();
        SafetensorsFile.Save(File_, new Dictionary<string, Tensor> { ["a"] = ones(100_000) });
        using SafetensorsFile mapped = SafetensorsFile.Open(File_, mapped: true), read = SafetensorsFile.Open(File_);
        using (var writer = new FileStream(File_, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Write, Share = FileShare.ReadWrite }))
        {
            writer.SetLength(1000);
        }

        Assert.Contains("cut short to 1000 bytes", Assert.Throws<SafetensorsException>(() => mapped.Read("a")).Message);
        Assert.Contains("ended at byte 1000", Assert.Throws<SafetensorsException>(() => read.Read("a")).Message);
    }

    [Fact]
    public void What_does_not_begin_at_a_multiple_of_its_element_is_copied()
    {
        File.WriteAllBytes(File_, HeaderAttack.FileOf("{" + HeaderAttack.Body("a", "U8", "[1]", "[0,1]") + "," + HeaderAttack.Body("f", "F32", "[2]", "[1,9]") + "}", [7, .. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2f)]));
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors = SafetensorsFile.Load(File_, mapped: true);
        (long from, long to) = Assert.Single(Mappings());
        bool odd = BitConverter.ToInt64(File.ReadAllBytes(File_)) % 4 != 3; // else the float happens to be aligned
        Assert.Equal(odd, Address(tensors["f"]) < from || Address(tensors["f"]) >= to);
        Assert.Equal([1.5f, -2], tensors["f"].data<float>().ToArray());
    }

    [Fact]
    public void Ten_thousand_small_tensors_share_one_mapping()
    {
        using var scope = NewDisposeScope();
        Tensor all = arange(30_000, dtype: ScalarType.Float32).reshape(10_000, 3);
        SafetensorsFile.Save(File_, Enumerable.Range(0, 10_000).ToDictionary(i => $"layer.{i}.weight", i => all[i]));
        Dictionary<string, Tensor> tensors = SafetensorsFile.Load(File_, mapped: true);
        Assert.Single(Mappings());
        Assert.True(stack(Enumerable.Range(0, 10_000).Select(i => tensors[$"layer.{i}.weight"])).allclose(all, 0, 0));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Rows_are_read_without_the_rest(bool mapped)
    {
        using var scope = NewDisposeScope();
        Tensor all = arange(60, dtype: ScalarType.Int16).reshape(5, 4, 3);
        SafetensorsFile.Save(File_, new Dictionary<string, Tensor> { ["a"] = all, ["s"] = ones([]), ["e"] = ones(0, 3) });
        using SafetensorsFile file = SafetensorsFile.Open(File_, mapped);
        for (int start = 0; start <= 5; start++)
        {
            for (int count = 0; start + count <= 5; count++)
            {
                Tensor rows = file.ReadRows("a", start, count);
                Assert.Equal([count, 4, 3], rows.shape);
                Assert.True(rows.bytes.SequenceEqual(all.narrow(0, start, count).contiguous().bytes));
            }
        }

        Assert.Equal([0, 3], file.ReadRows("e", 0, 0).shape);
        Assert.Contains("has 5", Assert.Throws<SafetensorsException>(() => file.ReadRows("a", 3, 3)).Message);
        Assert.Contains("has 5", Assert.Throws<SafetensorsException>(() => file.ReadRows("a", -1, 1)).Message);
        Assert.Contains("has 5", Assert.Throws<SafetensorsException>(() => file.ReadRows("a", 1, long.MaxValue)).Message);
        Assert.Contains("has 0", Assert.Throws<SafetensorsException>(() => file.ReadRows("e", 0, 1)).Message);
        Assert.Contains("is a scalar", Assert.Throws<SafetensorsException>(() => file.ReadRows("s", 0, 1)).Message);
    }

    [Fact]
    public void A_dtype_that_the_engine_lacks_is_refused_by_name_and_the_others_are_read()
    {
        byte[] bytes = HeaderAttack.FileOf("{" + HeaderAttack.Body("scales", "F8_E8M0", "[4]", "[0,4]") + "," + HeaderAttack.Body("w", "U8", "[2]", "[4,6]") + "}", [0, 0, 0, 0, 8, 9]);
        using var scope = NewDisposeScope();
        using SafetensorsFile file = SafetensorsFile.Open(bytes);
        Assert.Equal(["F8_E8M0", "U8"], file.Entries.Select(e => e.Format));
        foreach (Action refused in new Action[] { () => file.ReadAll(), () => file.Read("scales"), () => file.ReadRows("scales", 0, 1) })
        {
            Assert.Contains("tensor 'scales' is F8_E8M0", Assert.Throws<SafetensorsException>(refused).Message);
        }

        Assert.Equal([8, 9], file.Read("w").data<byte>().ToArray());
    }

    private static long Address(Tensor tensor) => Unsafe.ByteOffset(ref Unsafe.NullRef<byte>(), ref MemoryMarshal.GetReference(tensor.bytes));

    // Where this test's file, under whatever name it has by now, is mapped.
    private List<(long From, long To)> Mappings() =>
    [
        .. from line in File.ReadLines("/proc/self/maps")
           where line.Contains(_folder, StringComparison.Ordinal)
           let range = line[..line.IndexOf(' ')].Split('-')
           select (Convert.ToInt64(range[0], 16), Convert.ToInt64(range[1], 16)),
    ];
}
