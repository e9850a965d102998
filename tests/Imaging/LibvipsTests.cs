using System.Runtime.InteropServices;
using NetVips;

namespace Recsys.Imaging.Tests;

/// <summary>The process-wide state of libvips; alone, because it counts the objects that are alive.</summary>
[Collection(nameof(LibvipsTests))]
[CollectionDefinition(nameof(LibvipsTests), DisableParallelization = true)]
public sealed class LibvipsTests
{
    private delegate nint EachObject(nint item, nint a, nint b);

    [Fact]
    public void The_library_that_is_loaded_is_the_packages_own()
    {
        ImageDecoder.Decode(TestFiles.EachKind["png"]);

        string[] maps = File.ReadAllLines("/proc/self/maps");
        var loaded = maps.Where(line => line.Contains("libvips", StringComparison.Ordinal)).Select(line => line[line.IndexOf('/')..]);
        Assert.StartsWith(AppContext.BaseDirectory, Assert.Single(loaded.Distinct()), StringComparison.Ordinal);
        Assert.DoesNotContain(maps, line => line.Contains("libglib", StringComparison.Ordinal)); // which the system's libvips would bring
        Assert.True(NetVips.NetVips.AtLeastLibvips(8, 18));
    }

    [Fact]
    public void It_keeps_no_cache_and_takes_one_thread_a_picture()
    {
        ImageDecoder.Decode(TestFiles.EachKind["jpeg"]);

        Assert.Equal((0, 0, 1), (Cache.Max, Cache.Size, NetVips.NetVips.Concurrency));
    }

    [Fact]
    public void A_thousand_decodes_good_and_damaged_leave_no_object_behind()
    {
        byte[][] files = [.. TestFiles.EachKind.Values, .. TestFiles.EachKind.Values.Select(file => file[..^(file.Length / 3)])];

        Assert.Equal((500, 500), Decode(1000));

        // A worker of libvips may still be giving back what it held for the last picture.
        SpinWait.SpinUntil(() => Held() == default, TimeSpan.FromSeconds(30));
        Assert.Equal((0, 0, 0, 0), Held());
        using (Image.NewFromBuffer(files[0]))
        {
            Assert.True(Objects() > 0); // they are counted
        }

        static (int Objects, int Allocations, int Bytes, int Files) Held() => (Objects(), Stats.Allocations, Stats.Mem, Stats.Files);

        (int Decoded, int Refused) Decode(int count)
        {
            int refused = 0;
            for (int at = 0; at < count; at++)
            {
                try
                {
                    ImageDecoder.Decode(files[(at / 2 % 12) + (at % 2 * 12)], 16, 16);
                }
                catch (ImageException)
                {
                    refused++;
                }
            }

            return (count - refused, refused);
        }
    }

    private static int Objects()
    {
        int count = 0;
        Map((_, _, _) => ++count < 0 ? 1 : 0, 0, 0);
        return count;
    }

    [DllImport("libvips.so.42", EntryPoint = "vips_object_map")]
    private static extern nint Map(EachObject each, nint a, nint b);
}
