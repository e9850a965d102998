using static Recsys.Torch.torch;

namespace Recsys.Torch;

public sealed partial class SafetensorsFile
{
    /// <summary>All tensors of a file. The caller (or the current dispose scope) owns them.</summary>
    /// <param name="device">Where they shall be; null: the CPU. To another device each tensor is copied once, straight from the mapping where there is one.</param>
    /// <param name="mapped">As in <see cref="Open(string, bool)"/>.</param>
    /// <exception cref="SafetensorsException">The file breaks the format, or holds a dtype that the engine lacks; nothing is left behind.</exception>
    public static Dictionary<string, Tensor> Load(string path, Device? device = null, bool mapped = false)
    {
        using SafetensorsFile file = Open(path, mapped);
        return file.ReadAll(device);
    }

    /// <summary>The same from bytes in memory.</summary>
    public static Dictionary<string, Tensor> Load(ReadOnlyMemory<byte> bytes, Device? device = null)
    {
        using SafetensorsFile file = Open(bytes);
        return file.ReadAll(device);
    }

    /// <summary>All tensors; on the CPU, if no device is given.</summary>
    /// <exception cref="SafetensorsException">A dtype that the engine lacks, or a byte of a BOOL that is neither 0 nor 1.</exception>
    public Dictionary<string, Tensor> ReadAll(Device? device = null)
    {
        foreach (SafetensorsEntry entry in Entries)
        {
            TypeOf(entry); // before the first byte is read
        }

        var tensors = new Dictionary<string, Tensor>(Entries.Count);
        try
        {
            foreach (SafetensorsEntry entry in Entries)
            {
                tensors.Add(entry.Name, Read(entry, device));
            }
        }
        catch
        {
            foreach (Tensor tensor in tensors.Values)
            {
                tensor.Dispose();
            }

            throw;
        }

        return tensors;
    }

    /// <summary>One tensor; on the CPU, if no device is given.</summary>
    /// <exception cref="SafetensorsException">No such name, or as in <see cref="ReadAll"/>.</exception>
    public Tensor Read(string name, Device? device = null) => Read(Entry(name), device);

    /// <summary>Rows <paramref name="start"/> to <paramref name="start"/> + <paramref name="count"/> − 1 along the first dimension; nothing else is read.</summary>
    /// <returns>[count, …]</returns>
    /// <exception cref="SafetensorsException">A scalar, or rows that the tensor does not have; else as in <see cref="Read(string, Device?)"/>.</exception>
    public Tensor ReadRows(string name, long start, long count, Device? device = null)
    {
        SafetensorsEntry entry = Entry(name);
        if (entry.Shape.Length == 0)
        {
            throw new SafetensorsException($"{_source}: tensor '{name}' is a scalar and has no rows; use Read");
        }

        if (start < 0 || count < 0 || start > entry.Shape[0] - count)
        {
            throw new SafetensorsException($"{_source}: {count} rows from row {start} on; tensor '{name}' has {entry.Shape[0]}");
        }

        TypeOf(entry); // a row of a dtype smaller than a byte need not begin at one
        long row = entry.Shape[0] == 0 ? 0 : entry.Length / entry.Shape[0];
        long begin = entry.Begin + start * row;
        return Read(entry with { Shape = [count, .. entry.Shape[1..]], Begin = begin, End = begin + count * row }, device);
    }

    private SafetensorsEntry Entry(string name) => _byName.TryGetValue(name, out SafetensorsEntry? entry)
        ? entry
        : throw new SafetensorsException($"{_source}: no tensor '{name}'; the file has {string.Join(", ", Entries.Take(20).Select(e => e.Name))}{(Entries.Count > 20 ? ", …" : "")}");

    private ScalarType TypeOf(SafetensorsEntry entry) => entry.Dtype
        ?? throw new SafetensorsException($"{_source}: tensor '{entry.Name}' is {entry.Format}, which has no element type here; read the others of the file by their names");

    private Tensor Read(SafetensorsEntry entry, Device? device)
    {
        ScalarType type = TypeOf(entry);
        Tensor tensor = Mapped(entry, type) ?? Copied(entry, type);
        if (device is null || device.type == DeviceType.CPU)
        {
            return tensor;
        }

        using (tensor)
        {
            return tensor.to(device);
        }
    }

    private Tensor? Mapped(SafetensorsEntry entry, ScalarType type)
    {
        long offset = _dataStart + entry.Begin;
        if (_mapping is null || entry.Length == 0 || type == ScalarType.Bool || offset % SizeOf(type) != 0)
        {
            return null;
        }

        // What is gone by now is refused here; what goes later nobody can refuse.
        long length = RandomAccess.GetLength(_file!);
        return length >= offset + entry.Length
            ? _mapping.View(offset, entry.Shape, type)
            : throw new SafetensorsException($"{_source}: the file was cut short to {length} bytes while it was mapped; tensor '{entry.Name}' ends at {offset + entry.Length}");
    }

    private unsafe Tensor Copied(SafetensorsEntry entry, ScalarType type)
    {
        Tensor tensor = empty(entry.Shape, dtype: type);
        try
        {
            byte* memory = entry.Length == 0 ? null : (byte*)tensor.DataPointer();
            for (long at = 0; at < entry.Length;)
            {
                int count = (int)Math.Min(entry.Length - at, 1 << 30);
                var piece = new Span<byte>(memory + at, count);
                ReadAt(_dataStart + entry.Begin + at, piece);
                if (type == ScalarType.Bool && piece.IndexOfAnyExceptInRange((byte)0, (byte)1) is >= 0 and var bad)
                {
                    throw new SafetensorsException($"{_source}: tensor '{entry.Name}' is BOOL, but byte {at + bad} of it is {piece[bad]}, neither 0 nor 1");
                }

                at += count;
            }

            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }
}
