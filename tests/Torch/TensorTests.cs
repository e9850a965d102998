using static Recsys.Torch.Tests.Numbers;

namespace Recsys.Torch.Tests;

public class TensorTests
{
    [Fact]
    public void Creation_gives_the_stated_values_shapes_and_types()
    {
        using var scope = NewDisposeScope();
        Assert.Equal([2L, 3], zeros(2, 3).shape);
        Assert.Equal([2L, 3], ones([2, 3], dtype: int64).shape);
        Close([7, 7], full(2, 7));
        Assert.Equal([2L, 4, 6], arange(2, 8, 2).Longs());
        Assert.Equal(int64, arange(3).dtype);
        Close([0, 0.25, 0.5, 0.75, 1], linspace(0, 1, 5));
        Close([1, 0, 0, 1], eye(2));
        Assert.Equal(bfloat16, zeros_like(ones(2), dtype: bfloat16).dtype);
        Assert.True(rand(1000).data<float>().All(v => v is >= 0 and < 1));
        Assert.True(randint(3, 9, [1000]).data<long>().All(v => v is >= 3 and < 9));
        Assert.Equal(Enumerable.Range(0, 50).Select(i => (long)i), randperm(50).Longs().Order());
        Assert.True(ones(2, requires_grad: true).requires_grad);
        Assert.Equal(float32, tensor(1.5f).dtype);
        Assert.Equal(ScalarType.Bool, tensor(true).dtype);
        Assert.Equal([2L, 1, 3], tensor(new int[2, 1, 3]).shape);
        Assert.Equal([2L, 2], tensor(new List<float> { 1, 2, 3, 4 }, [2, 2]).shape);
        Assert.Equal(0, tensor(Array.Empty<float>()).numel());
        Assert.Equal(float32, tensor(new double[] { 1, 2 }, dtype: float32).dtype);
    }

    [Theory]
    [InlineData(new[] { 1f, -2f, float.NaN, float.PositiveInfinity })]
    public void Floats_go_in_and_come_out_unchanged(float[] values)
    {
        using var t = tensor(values);
        Assert.Equal(values, t.data<float>().ToArray());
        var copy = new float[4];
        t.data<float>().CopyTo(copy);
        Assert.Equal(values, copy);
    }

    [Fact]
    public void Every_element_type_goes_in_and_comes_out()
    {
        using var scope = NewDisposeScope();
        Assert.Equal([1L, -5], tensor(new long[] { 1, -5 }).data<long>().ToArray());
        Assert.Equal([1, -5], tensor(new[] { 1, -5 }).data<int>().ToArray());
        Assert.Equal(new short[] { 1, -5 }, tensor(new short[] { 1, -5 }).data<short>().ToArray());
        Assert.Equal(new byte[] { 1, 250 }, tensor(new byte[] { 1, 250 }).data<byte>().ToArray());
        Assert.Equal(new sbyte[] { 1, -5 }, tensor(new sbyte[] { 1, -5 }).data<sbyte>().ToArray());
        Assert.Equal([true, false], tensor([true, false]).data<bool>().ToArray());
        Assert.Equal([1.5, -2.5], tensor([1.5, -2.5]).data<double>().ToArray());
        Assert.Equal([(Half)1.5], tensor([(Half)1.5]).data<Half>().ToArray());
        Assert.Equal(3L, tensor(3L).item<long>());
        Assert.Equal(2.5f, tensor(2.5).item<float>());
        Assert.True(tensor(true).item<bool>());
    }

    [Fact]
    public void A_strided_view_is_read_and_written_in_row_major_order()
    {
        using var scope = NewDisposeScope();
        var x = arange(6, dtype: float32).reshape(2, 3);
        Assert.Equal([0f, 3, 1, 4, 2, 5], x.t().data<float>().ToArray());
        x.t().data<float>().CopyFrom([10f, 20, 30, 40, 50, 60]);
        Assert.Equal([10f, 30, 50, 20, 40, 60], x.data<float>().ToArray());
        Assert.Equal(40f, x.data<float>()[1, 1]);
        x.data<float>()[0, 2] = -1;
        Assert.Equal(-1, x[0, 2].ToSingle());
    }

    [Fact]
    public void Bytes_are_the_tensors_own_memory()
    {
        using var scope = NewDisposeScope();
        var x = zeros(3);
        System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(x.bytes)[1] = 5;
        Close([0, 5, 0], x);
        x.bytes = new byte[12];
        Close([0, 0, 0], x);
        Assert.Throws<InvalidOperationException>(() => ones(2, 3).t().bytes.Length);
        Assert.Throws<TorchException>(() => x.bytes = new byte[11]);
    }

    [Fact]
    public void Conversions_round_as_ieee_says()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(1.0078125, tensor(1.005f).to(bfloat16).ToDouble());
        Assert.Equal([1L, -1], tensor(new[] { 1.9f, -1.9f }).to(int64).Longs());
        var x = ones(2);
        Assert.Equal(float64, x.@double().dtype);
        Assert.Equal(DeviceType.CPU, x.to("cpu").device.type);
        var y = x.to(float64, disposeAfter: true);
        Assert.True(x.IsInvalid);
        Assert.Equal(2, y.sum().ToDouble());
    }

    [Fact]
    public void Text_shows_shape_type_and_values()
    {
        using var t = tensor(new[,] { { 1f, 2.5f }, { -3, 4 } });
        Assert.Equal("[2x2], type = Float32, device = cpu, values = [1, 2.5, -3, 4]", t.ToString());
    }

    [Fact]
    public void Closeness_and_equality_tell_tensors_apart()
    {
        using var scope = NewDisposeScope();
        var x = ones(3);
        Assert.True(x.allclose(x + 1e-7));
        Assert.False(x.allclose(x + 1e-3));
        Assert.True(x.Equals(ones(3)));
        Assert.False(x.Equals(zeros(3)));
        Assert.False(x.Equals(ones(4)));
    }

    [Fact]
    public void Own_generators_repeat_by_seed_and_do_not_touch_the_default_one()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var expected = randn(5).data<float>().ToArray();
        manual_seed(1);
        using var a = new Generator(9);
        using var b = new Generator(9);
        var first = randn(5, generator: a).data<float>().ToArray();
        Assert.Equal(first, randn(5, generator: b).data<float>().ToArray());
        Assert.Equal(expected, randn(5).data<float>().ToArray());
        Assert.NotEqual(first, randn(5, generator: a).data<float>().ToArray());
        a.manual_seed(9);
        var state = a.get_state();
        Assert.Equal(first, randn(5, generator: a).data<float>().ToArray());
        a.set_state(state);
        Assert.Equal(first, randn(5, generator: a).data<float>().ToArray());
        Assert.Equal(9, a.initial_seed());
    }

    [Fact]
    public void Multinomial_draws_at_the_given_odds()
    {
        using var scope = NewDisposeScope();
        using var g = new Generator(2);
        var counts = multinomial(tensor(new[] { 1f, 0, 3 }), 40_000, true, g).bincount(minlength: 3).Longs();
        Assert.Equal(0, counts[1]);
        Assert.InRange(counts[2], 30_000 - 500, 30_000 + 500);
    }

    [Fact]
    public void Autocast_multiplies_in_bf16_and_ends_with_its_scope()
    {
        using var scope = NewDisposeScope();
        var x = randn(4, 4);
        using (Autocast.Cpu())
        {
            Assert.True(Autocast.IsEnabled());
            var y = x.matmul(x);
            Assert.Equal(bfloat16, y.dtype);
            Assert.Equal(bfloat16, functional.layer_norm(y, [4], ones(4), zeros(4)).dtype);
            Assert.Equal(bfloat16, functional.group_norm(y, 2, ones(4), zeros(4)).dtype);
            using (Autocast.Cpu(enabled: false))
            {
                Assert.Equal(float32, x.matmul(x).dtype);
            }

            Assert.True(Autocast.IsEnabled());
        }

        Assert.False(Autocast.IsEnabled());
        Assert.Equal(float32, x.matmul(x).dtype);
        Assert.Throws<ArgumentException>(() => Autocast.Cpu(float16));
    }

    [Fact]
    public void The_library_is_searched_beside_the_assembly_and_upwards()
    {
        var before = Environment.GetEnvironmentVariable("RECSYS_NATIVE");
        try
        {
            Environment.SetEnvironmentVariable("RECSYS_NATIVE", null);
            var found = NativeLibraryResolver.Candidates("/a/b").Take(4);
            Assert.Equal(["/a/b/librecsys_native.so", "/a/b/artifacts/native/librecsys_native.so", "/a/artifacts/native/librecsys_native.so", "/artifacts/native/librecsys_native.so"], found);
            Environment.SetEnvironmentVariable("RECSYS_NATIVE", "/x/own.so");
            Assert.Equal(["/x/own.so"], NativeLibraryResolver.Candidates("/a/b"));
        }
        finally
        {
            Environment.SetEnvironmentVariable("RECSYS_NATIVE", before);
        }
    }

    [Fact]
    public void The_runtime_names_its_libtorch()
    {
        Assert.Matches(@"^\d+\.\d+\.\d+", TorchRuntime.Version);
        Assert.True(TorchRuntime.HasLapack);
        Assert.Contains("get_num_threads", TorchRuntime.ParallelInfo, StringComparison.Ordinal);
    }
}
