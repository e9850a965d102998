namespace Recsys.Faiss.Files;

/// <summary>Walks over the bytes of an index file; every step is checked against what is left, so that no size in a file is believed.</summary>
internal sealed unsafe class FormatReader(byte* start, long length)
{
    private long _at;

    public long Position => _at;

    public long Left => length - _at;

    public string FourCharacters(string what)
    {
        byte* at = Take(4, 1, what);
        return string.Create(4, (nint)at, static (text, from) =>
        {
            for (int i = 0; i < 4; i++)
            {
                text[i] = (char)((byte*)from)[i];
            }
        });
    }

    public int Int(string what) => *(int*)Take(1, sizeof(int), what);

    /// <summary>A 32-bit number that must lie in a range.</summary>
    public int Int(string what, int least, int most)
    {
        int value = Int(what);
        return value >= least && value <= most ? value : throw Fault($"{what} is {value}; {least:N0} to {most:N0} are possible");
    }

    public long Long(string what) => *(long*)Take(1, sizeof(long), what);

    /// <summary>A 64-bit number that must lie in a range.</summary>
    public long Long(string what, long least, long most)
    {
        long value = Long(what);
        return value >= least && value <= most ? value : throw Fault($"{what} is {value}; {least:N0} to {most:N0} are possible");
    }

    public bool Bool(string what)
    {
        byte value = *Take(1, 1, what);
        return value <= 1 ? value == 1 : throw Fault($"{what} is {value}, neither 0 nor 1");
    }

    /// <summary>A vector's length, which the rest of the file must have room for.</summary>
    public long Length(string what, int size)
    {
        long count = Long(what);
        return count >= 0 && count <= Left / size ? count : throw Fault($"{what} says {count} entries of {size} bytes but {Left:N0} bytes are left");
    }

    /// <summary>A vector's length that is known already.</summary>
    public void LengthIs(string what, long expected)
    {
        long count = Long(what);
        if (count != expected)
        {
            throw Fault($"{what} says {count} entries; {expected} follow from what stands before");
        }
    }

    public ReadOnlySpan<int> Ints(long count, string what) => new(Take(count, sizeof(int), what), Fits(count, what));

    public ReadOnlySpan<long> Longs(long count, string what) => new(Take(count, sizeof(long), what), Fits(count, what));

    public ReadOnlySpan<double> Doubles(long count, string what) => new(Take(count, sizeof(double), what), Fits(count, what));

    public void Skip(long count, int size, string what) => Take(count, size, what);

    /// <summary>Components: none may be NaN, infinite, or so large that squared distances overflow.</summary>
    public void Floats(long count, string what)
    {
        float* values = (float*)Take(count, sizeof(float), what);
        for (long i = 0; i < count; i++)
        {
            if (!(MathF.Abs(values[i]) <= VectorIndex.LargestValue))
            {
                throw Fault($"component {i} of {what} is {values[i]}");
            }
        }
    }

    /// <summary>Labels: none may be negative.</summary>
    public void Labels(long count, string what)
    {
        long* values = (long*)Take(count, sizeof(long), what);
        for (long i = 0; i < count; i++)
        {
            if (values[i] < 0)
            {
                throw Fault($"label {i} of {what} is {values[i]}");
            }
        }
    }

    public FaissFileException Fault(string what) => new($"damaged or hostile at byte {_at:N0}: {what}");

    private int Fits(long count, string what) => count <= int.MaxValue ? (int)count : throw Fault($"{count:N0} entries of {what} are too many");

    private byte* Take(long count, int size, string what)
    {
        if (count < 0 || count > Left / size)
        {
            throw Fault($"{what} needs {count} × {size} bytes but {Left:N0} are left");
        }

        byte* at = start + _at;
        _at += count * size;
        return at;
    }
}
