using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Recsys.Faiss.Files;

/// <summary>
/// The last 64 bytes of an index file, little endian: <c>RSFAISS1</c>, flags (bit 0: labels are the caller's), four zero bytes, length
/// of what stands before, eight zero bytes, SHA-256 over what stands before and over these 32 bytes. It stands at the end because FAISS
/// reads from the start and stops where its index ends.
/// </summary>
internal static class IndexSeal
{
    public const int Size = 64;
    private const int Signed = 32;
    private const uint OwnIdsFlag = 1;

    private static ReadOnlySpan<byte> Magic => "RSFAISS1"u8;

    /// <param name="content">Positioned anywhere; hashed from its start to its end.</param>
    public static byte[] Over(Stream content, bool ownIds)
    {
        var seal = new byte[Size];
        Magic.CopyTo(seal);
        BinaryPrimitives.WriteUInt32LittleEndian(seal.AsSpan(8), ownIds ? OwnIdsFlag : 0);
        BinaryPrimitives.WriteInt64LittleEndian(seal.AsSpan(16), content.Length);
        content.Position = 0;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = new byte[1 << 20];
        for (int read; (read = content.Read(block)) > 0;)
        {
            hash.AppendData(block, 0, read);
        }

        hash.AppendData(seal, 0, Signed);
        hash.GetHashAndReset(seal.AsSpan(Signed));
        return seal;
    }

    /// <summary>Whether a file ends with a seal at all.</summary>
    public static unsafe bool Ends(byte* file, long length) =>
        length >= Size && new ReadOnlySpan<byte>(file + length - Size, Magic.Length).SequenceEqual(Magic);

    /// <summary>Checks the seal at the end of a file.</summary>
    /// <returns>Bytes before the seal, and whether labels are the caller's.</returns>
    /// <exception cref="FaissFileException">No seal, or one that does not fit.</exception>
    public static unsafe (long Length, bool OwnIds) Check(byte* file, long length)
    {
        if (!Ends(file, length))
        {
            throw new FaissFileException($"no index file, or a truncated one: its {length:N0} bytes do not end with the seal that Save writes");
        }

        var seal = new ReadOnlySpan<byte>(file + length - Size, Size);
        long said = BinaryPrimitives.ReadInt64LittleEndian(seal[16..]);
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(seal[8..]);
        if (said != length - Size)
        {
            throw new FaissFileException($"its seal is for {said:N0} bytes but {length - Size:N0} stand before it");
        }

        if ((flags & ~OwnIdsFlag) != 0 || BinaryPrimitives.ReadUInt32LittleEndian(seal[12..]) != 0 || BinaryPrimitives.ReadInt64LittleEndian(seal[24..]) != 0)
        {
            throw new FaissFileException("its seal is of a later version; read it with the version that wrote it, or a newer one");
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long at = 0; at < said;)
        {
            int part = (int)Math.Min(said - at, 1 << 30);
            hash.AppendData(new ReadOnlySpan<byte>(file + at, part));
            at += part;
        }

        hash.AppendData(seal[..Signed]);
        Span<byte> found = stackalloc byte[32];
        hash.GetHashAndReset(found);
        return found.SequenceEqual(seal[Signed..])
            ? (said, (flags & OwnIdsFlag) != 0)
            : throw new FaissFileException("damaged: its content does not have the SHA-256 of its seal");
    }
}
