namespace Recsys.Imaging;

/// <summary>Decodes many pictures at once, each by one thread, straight into its place.</summary>
internal static class BatchLoader
{
    /// <param name="pixels">Bytes, or floats by <paramref name="table"/> [256].</param>
    public static unsafe (bool[] Present, string?[] Errors) Load<T>(
        Func<int, byte[]?> read, int count, int width, int height, Memory<T> pixels, float[]? table, BatchLayout layout, ImageFit fit,
        DecodeOptions? options, Func<int, string>? name, CancellationToken cancel)
        where T : unmanaged
    {
        options ??= DecodeOptions.Default;
        ImageDecoder.RequireFrame(width, height, null);
        long stride = 3L * width * height;
        if (count < 0 || pixels.Length != stride * count)
        {
            throw new ImageException($"{count} pictures of {width} × {height} need {stride * count:N0} values, not {pixels.Length:N0}.");
        }

        Native.VipsRuntime.Ensure();
        DecodeOptions Options(int item) => options with { File = name?.Invoke(item) ?? $"picture {item}" };
        var (present, errors, gate) = (new bool[count], new string?[count], new Lock());
        using var pinned = pixels.Pin();
        using var pinnedTable = ((Memory<float>)(table ?? [])).Pin();
        var (target, values) = ((nint)pinned.Pointer, (nint)pinnedTable.Pointer);

        void Decode(int item, byte[] file)
        {
            var frame = (T*)target + (item * stride);
            ImageDecoder.DecodeInto(file, table is null ? (byte*)frame : null, table is null ? null : (float*)frame, (float*)values, width, height, layout, fit, Options(item));
        }

        void Clear(int item) => Background((T*)target + (item * stride), width * height, (float*)values, layout, options.Background);

        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel }, item =>
        {
            byte[]? file;
            lock (gate)
            {
                file = read(item);
            }

            Clear(item);
            if (file is null)
            {
                return;
            }

            try
            {
                Decode(item, file);
                present[item] = true;
            }
            catch (ImageException fault)
            {
                errors[item] = fault.Message;
            }
        });

        // libvips keeps one error text for all threads, so a message may be another picture's: ask again for each fault, one by one.
        for (int item = 0; item < count; item++)
        {
            if (errors[item] is not null)
            {
                try
                {
                    if (read(item) is { } file)
                    {
                        Decode(item, file);
                        (present[item], errors[item]) = (true, null); // it was not the picture
                        continue;
                    }
                }
                catch (ImageException fault)
                {
                    errors[item] = fault.Message;
                }

                Clear(item); // rows before the damage were written already
            }
        }

        return (present, errors);
    }

    private static unsafe void Background<T>(T* frame, int pixels, float* table, BatchLayout layout, Rgb colour)
        where T : unmanaged
    {
        ReadOnlySpan<byte> channels = [colour.R, colour.G, colour.B];
        for (int c = 0; c < 3; c++)
        {
            float real = table == null ? 0 : table[channels[c]];
            byte whole = channels[c];
            T value = sizeof(T) == 1 ? *(T*)&whole : *(T*)&real;
            if (layout == BatchLayout.Nchw)
            {
                new Span<T>(frame + ((long)c * pixels), pixels).Fill(value);
                continue;
            }

            for (long at = c; at < 3L * pixels; at += 3)
            {
                frame[at] = value;
            }
        }
    }
}
