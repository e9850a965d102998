using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>A call under way: one attempt, or several under a retry policy.</summary>
internal interface IStartedCall : IDisposable
{
    Task<Metadata> ResponseHeaders { get; }

    Status GetStatus();

    Metadata GetTrailers();

    /// <summary>By a token that was handed to a read or a write.</summary>
    void CancelByCaller();
}

/// <summary>A call whose responses are of one type.</summary>
internal interface IReceivingCall<TResponse> : IStartedCall
    where TResponse : class
{
    /// <summary>The one response of a call that has ended well.</summary>
    Task<TResponse> ReceiveSingleAsync();

    /// <summary>The next response; null when the call has ended with OK; throws when it has ended otherwise.</summary>
    ValueTask<TResponse?> ReceiveNextAsync();
}
