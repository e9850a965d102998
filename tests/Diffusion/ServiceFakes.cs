using Grpc.Core;
using Recsys.Catalog;
using Recsys.Catalog.Ports;
using Recsys.V1;

namespace Recsys.Diffusion.Tests;

internal sealed class FakeSnapshots(IReadOnlyDictionary<Type, object> parts, ItemTable items) : ISnapshots, ISnapshot
{
    public int Released { get; private set; }

    public string Version => "v1";

    public ItemTable Items => items;

    public T? Find<T>()
        where T : class => parts.TryGetValue(typeof(T), out object? part) ? (T)part : null;

    public SnapshotLease Acquire() => new(this, () => Released++);
}

internal sealed class Collected(Action<GenerateResponse>? onMessage = null) : IServerStreamWriter<GenerateResponse>
{
    public List<GenerateResponse> Messages { get; } = [];

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(GenerateResponse message)
    {
        Messages.Add(message);
        onMessage?.Invoke(message);
        return Task.CompletedTask;
    }

    /// <summary>As the real one: a write whose token is cancelled resets the stream, and no status reaches the client any more.</summary>
    public Task WriteAsync(GenerateResponse message, CancellationToken cancellationToken) => cancellationToken.CanBeCanceled
        ? throw new NotSupportedException("a cancelled write would take the call's status away")
        : WriteAsync(message);
}

internal sealed class FakeContext(CancellationToken cancel) : ServerCallContext
{
    protected override string MethodCore => "/recsys.v1.Creative/Generate";

    protected override string HostCore => "localhost";

    protected override string PeerCore => "ipv4:127.0.0.1:1";

    protected override DateTime DeadlineCore => DateTime.MaxValue;

    protected override Metadata RequestHeadersCore { get; } = [];

    protected override CancellationToken CancellationTokenCore => cancel;

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => throw new NotSupportedException("no peer is authenticated in these tests");

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("these tests make no further calls");
}
