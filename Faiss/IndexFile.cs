using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Recsys.Faiss.Native;
using static Recsys.Faiss.Native.NativeMethods;

namespace Recsys.Faiss;

/// <summary>"RSFAISS1", the length of what follows the header (8 bytes, little-endian), its SHA-256, then FAISS's own format.</summary>
internal static class IndexFile
{
    private const int LengthAt = 8, HashAt = 16, HeaderBytes = HashAt + SHA256.HashSizeInBytes;
    private const string Remedy = "save it again from the vectors";

    private static ReadOnlySpan<byte> Magic => "RSFAISS1"u8;

    internal static void Save(string path, IndexHandle index)
    {
        path = Path.GetFullPath(path);
        string beside = $"{path}.{Guid.NewGuid():N}.new";
        try
        {
            using (var file = File.OpenHandle(beside, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                Check(rf_index_write(index, file, HeaderBytes), $"writing {path}");
                var header = new byte[HeaderBytes];
                Magic.CopyTo(header);
                BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(LengthAt), RandomAccess.GetLength(file) - HeaderBytes);
                Hash(file).CopyTo(header, HashAt);
                RandomAccess.Write(file, header, 0);
                RandomAccess.FlushToDisk(file);
            }

            File.Move(beside, path, overwrite: true);
            Check(rf_sync_folder(Path.GetDirectoryName(path)!), $"writing {path}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaissFileException(path, $"it could not be written: {e.Message}", "make room, or choose another folder", e);
        }
        finally
        {
            if (File.Exists(beside))
            {
                File.Delete(beside);
            }
        }
    }

    internal static HnswIndex Load(string path)
    {
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(path, FileMode.Open, FileAccess.Read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaissFileException(path, $"it could not be opened: {e.Message}", "name a file that was saved by HnswIndex.Save", e);
        }

        using (file)
        {
            CheckSeal(path, file);
            return rf_index_read(file, HeaderBytes, out nint read) == 0
                ? new HnswIndex(new IndexHandle(read))
                : throw new FaissFileException(path, $"its seal is right, but FAISS does not read it ({LastError()})", Remedy);
        }
    }

    private static void CheckSeal(string path, SafeFileHandle file)
    {
        var header = new byte[HeaderBytes];
        long length = RandomAccess.GetLength(file);
        if (length < HeaderBytes || RandomAccess.Read(file, header, 0) < HeaderBytes || !header.AsSpan().StartsWith(Magic))
        {
            throw new FaissFileException(path, "it does not begin as an index that HnswIndex.Save wrote", "name another file");
        }

        long told = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(LengthAt));
        if (told != length - HeaderBytes)
        {
            throw new FaissFileException(path, $"it is damaged: {length - HeaderBytes} bytes follow the header, which says {told}", Remedy);
        }

        if (!Hash(file).AsSpan().SequenceEqual(header.AsSpan(HashAt)))
        {
            throw new FaissFileException(path, "it is damaged: its SHA-256 is not the one in its header", Remedy);
        }
    }

    private static byte[] Hash(SafeFileHandle file)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = new byte[1 << 20];
        long at = HeaderBytes;
        for (int read; (read = RandomAccess.Read(file, block, at)) > 0; at += read)
        {
            hash.AppendData(block, 0, read);
        }

        return hash.GetHashAndReset();
    }
}
