namespace Grpc.Core;

/// <summary>Whether a channel speaks TLS, and metadata for each of its calls.</summary>
public abstract class ChannelCredentials
{
    /// <summary>Plain text.</summary>
    public static ChannelCredentials Insecure { get; } = new InsecureCredentials();

    /// <summary>TLS with the machine's trusted roots.</summary>
    public static ChannelCredentials SecureSsl { get; } = new SslCredentials();

    /// <summary>TLS, and call credentials with every call.</summary>
    public static ChannelCredentials Create(ChannelCredentials channelCredentials, CallCredentials callCredentials)
    {
        ArgumentNullException.ThrowIfNull(channelCredentials);
        ArgumentNullException.ThrowIfNull(callCredentials);
        if (!channelCredentials.IsSecure)
        {
            throw new ArgumentException("Call credentials are sent only over TLS: compose them with SslCredentials.", nameof(channelCredentials));
        }
        return new CompositeCredentials(channelCredentials, callCredentials);
    }

    internal abstract bool IsSecure { get; }

    internal virtual CallCredentials? CallCredentials => null;

    private sealed class InsecureCredentials : ChannelCredentials
    {
        internal override bool IsSecure => false;
    }

    private sealed class CompositeCredentials(ChannelCredentials channel, CallCredentials call) : ChannelCredentials
    {
        internal override bool IsSecure => channel.IsSecure;

        internal override CallCredentials CallCredentials =>
            channel.CallCredentials is { } inner ? CallCredentials.Compose(inner, call) : call;
    }
}

/// <summary>TLS. Roots and client certificates are set on the channel's HttpHandler.</summary>
public sealed class SslCredentials : ChannelCredentials
{
    internal override bool IsSecure => true;
}
