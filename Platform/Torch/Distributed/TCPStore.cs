using Recsys.Torch.Distributed;
using Recsys.Torch.Native;
using static Recsys.Torch.Distributed.NativeMethods;

namespace Recsys.Torch;

/// <summary>Small values that all ranks share while they find each other: one process serves them over TCP, the others connect.</summary>
public sealed unsafe class TCPStore : IDisposable
{
    private readonly TCPStore? _root; // of a prefixed view: keeps the server alive
    private nint _handle;

    /// <param name="host">Name or address of the machine that serves.</param>
    /// <param name="port">0 with <paramref name="is_master"/>: any free one, see <see cref="Port"/>.</param>
    /// <param name="is_master">Whether this process serves.</param>
    /// <param name="timeout">For connecting, and for each wait for a key; default 2 minutes.</param>
    /// <exception cref="DistributedException">Nobody serves there, the port is taken, or this libtorch has no c10d.</exception>
    public TCPStore(string host, int port, bool is_master = false, TimeSpan? timeout = null)
    {
        if (port is < 0 or > 65535 || (port == 0 && !is_master))
        {
            throw new DistributedException(DistributedFault.Configuration, $"The store's port is {port}; allowed is 1 to 65535, and 0 for one that serves.");
        }

        fixed (byte* name = Text(host))
        {
            nint handle;
            int bound;
            Ok(rs_store_new(name, port, is_master ? 1 : 0, (long)(timeout ?? TimeSpan.FromMinutes(2)).TotalMilliseconds, &bound, &handle), $"TCPStore({host}:{port})");
            (_handle, Port, Host) = (handle, bound, host);
        }
    }

    private TCPStore(nint handle, TCPStore root) => (_handle, _root, Port, Host) = (handle, root, root.Port, root.Host);

    ~TCPStore() => Free();

    public string Host { get; }

    public int Port { get; }

    internal nint Handle => _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(TCPStore));

    /// <summary>The same store with every key below <paramref name="prefix"/>.</summary>
    public TCPStore WithPrefix(string prefix)
    {
        fixed (byte* text = Text(prefix))
        {
            nint handle;
            Ok(rs_store_prefix(Handle, text, &handle), "PrefixStore");
            return new TCPStore(handle, this);
        }
    }

    public void set(string key, byte[] value)
    {
        fixed (byte* text = Text(key), data = value)
        {
            Ok(rs_store_set(Handle, text, data, value.Length), $"TCPStore.set({key})");
        }
    }

    public void set(string key, string value) => set(key, System.Text.Encoding.UTF8.GetBytes(value));

    /// <summary>Waits until somebody has set the key.</summary>
    /// <exception cref="DistributedException">Timeout: nobody did.</exception>
    public byte[] get(string key)
    {
        var buffer = new byte[256];
        fixed (byte* text = Text(key))
        {
            while (true)
            {
                long length;
                fixed (byte* data = buffer)
                {
                    Ok(rs_store_get(Handle, text, data, buffer.Length, &length), $"TCPStore.get({key})");
                }

                if (length <= buffer.Length)
                {
                    return buffer[..(int)length];
                }

                buffer = new byte[length];
            }
        }
    }

    /// <summary>Adds to a counter and returns its new value.</summary>
    public long add(string key, long amount)
    {
        fixed (byte* text = Text(key))
        {
            long sum;
            Ok(rs_store_add(Handle, text, amount, &sum), $"TCPStore.add({key})");
            return sum;
        }
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        var handle = Interlocked.Exchange(ref _handle, 0);
        if (handle != 0)
        {
            rs_store_free(handle);
        }
    }
}
