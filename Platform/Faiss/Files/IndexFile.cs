using System.Runtime.InteropServices;
using Recsys.Faiss.Native;
using static Recsys.Faiss.Native.NativeMethods;

namespace Recsys.Faiss.Files;

/// <summary>Index files: written beside, flushed, renamed; read whole into memory of our own, checked there, then given to FAISS.</summary>
internal static unsafe class IndexFile
{
    private const long LargestByDefault = 1L << 40;

    public static void Save(IndexHandle index, string path, bool ownIds)
    {
        path = Path.GetFullPath(path);
        string beside = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            Span<byte> error = stackalloc byte[ErrorBytes];
            fixed (byte* errorOut = error)
            {
                Check(rs_faiss_index_write(index, beside, errorOut, error.Length), error, $"save {path}");
                Seal(beside, ownIds);
                File.Move(beside, path, overwrite: true);
                Check(rs_faiss_flush_folder(Path.GetDirectoryName(path)!, errorOut, error.Length), error, $"save {path}");
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new FaissException($"save {path}: {fault.Message}", fault);
        }
        finally
        {
            if (File.Exists(beside))
            {
                File.Delete(beside);
            }
        }
    }

    private static void Seal(string path, bool ownIds)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        byte[] seal = IndexSeal.Over(file, ownIds);
        file.Position = file.Length;
        file.Write(seal);
        file.Flush(flushToDisk: true);
    }

    public static VectorIndex Load(string path, long? maxBytes, bool requireSeal)
    {
        RequireFaiss();
        void* memory = null;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            long length = file.Length, most = maxBytes ?? Math.Min(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2, LargestByDefault);
            if (length > most)
            {
                throw new FaissFileException($"{length:N0} bytes; at most {most:N0} are read. Raise maxBytes if the machine has the memory for it twice.");
            }

            memory = NativeMemory.Alloc((nuint)Math.Max(length, 1));
            Fill(file, (byte*)memory, length);
            return Read((byte*)memory, length, requireSeal);
        }
        catch (FaissException fault)
        {
            throw new FaissFileException(fault.Message, path, fault);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or OutOfMemoryException or NotSupportedException)
        {
            throw new FaissFileException(fault.Message, path, fault);
        }
        finally
        {
            NativeMemory.Free(memory);
        }
    }

    /// <summary>An index from a file's bytes.</summary>
    /// <exception cref="FaissException">They are none.</exception>
    public static VectorIndex Read(byte* file, long length, bool requireSeal)
    {
        bool ownIds = false;
        if (requireSeal || IndexSeal.Ends(file, length))
        {
            (length, ownIds) = IndexSeal.Check(file, length);
        }

        IndexFormat.Check(file, length);
        Span<byte> error = stackalloc byte[ErrorBytes];
        fixed (byte* errorOut = error)
        {
            Check(rs_faiss_index_read(file, length, ownIds ? 1 : 0, out nint index, errorOut, error.Length), error, "index");
            return VectorIndex.Own(index);
        }
    }

    private static void Fill(FileStream file, byte* to, long length)
    {
        for (long at = 0; at < length;)
        {
            int read = file.Read(new Span<byte>(to + at, (int)Math.Min(length - at, 1 << 26)));
            if (read == 0)
            {
                throw new FaissFileException($"it became shorter while it was read, {at:N0} of {length:N0} bytes");
            }

            at += read;
        }
    }
}
