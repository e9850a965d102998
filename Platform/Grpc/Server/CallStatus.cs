using Grpc.Core;
using Grpc.Wire;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Grpc.AspNetCore.Server;

/// <summary>What status a call ends with, and where it is written.</summary>
internal sealed partial class HttpContextServerCallContext
{
    private void WriteFinalStatus(Exception? failure)
    {
        // Reading may notice that the connection is gone before the request is told.
        if (HttpContext.RequestAborted.IsCancellationRequested || failure is ConnectionAbortedException or ConnectionResetException)
        {
            GrpcLog.CallCancelled(_logger, MethodCore);
            return;
        }
        if (failure is UnknownEncodingException) HttpContext.Response.Headers[Headers.AcceptEncoding] = Options.Codecs.AcceptEncoding;
        WriteStatus(failure is null ? StatusCore : ToStatus(failure), MergedTrailers(failure));
    }

    private Status ToStatus(Exception failure)
    {
        if (failure is RpcException rpc)
        {
            GrpcLog.RpcError(_logger, MethodCore, rpc.StatusCode, rpc.Status.Detail, rpc.InnerException);
            return rpc.StatusCode == StatusCode.OK ? new Status(StatusCode.Unknown, "The service failed with an OK status.") : rpc.Status;
        }
        if (failure is BadHttpRequestException or IOException)
        {
            GrpcLog.RpcError(_logger, MethodCore, StatusCode.Internal, "The request could not be read.", failure);
            return new Status(StatusCode.Internal, "The request could not be read.");
        }
        GrpcLog.ErrorExecutingServiceMethod(_logger, MethodCore, failure);
        return new Status(StatusCode.Unknown, Options.EnableDetailedErrors
            ? $"Exception was thrown by handler. {Describe(failure)}"
            : "Exception was thrown by handler.");
    }

    private static string Describe(Exception failure)
    {
        string text = $"{failure.GetType().Name}: {failure.Message}";
        return failure.InnerException is { } inner ? $"{text} {Describe(inner)}" : text;
    }

    private Metadata? MergedTrailers(Exception? failure)
    {
        if (failure is not RpcException { Trailers.Count: > 0 } rpc) return _responseTrailers;
        if (_responseTrailers is null || ReferenceEquals(rpc.Trailers, _responseTrailers)) return rpc.Trailers;
        var merged = new Metadata();
        foreach (Metadata.Entry entry in _responseTrailers.Concat(rpc.Trailers)) merged.Add(entry);
        return merged;
    }

    /// <summary>Into the trailers; an answer that has not started becomes trailers only, in one frame.</summary>
    private void WriteStatus(Status status, Metadata? trailers)
    {
        IHeaderDictionary target = _hasMessage || HttpContext.Response.HasStarted
            ? ((IHttpResponseTrailersFeature)HttpContext.Features[typeof(IHttpResponseTrailersFeature)]!).Trailers
            : HttpContext.Response.Headers;
        for (int i = 0; i < trailers?.Count; i++)
        {
            Metadata.Entry entry = trailers[i];
            if (Headers.IsProtocolHeader(entry.Key)) continue;
            if (Headers.IsSendable(entry))
            {
                Append(target, entry);
                continue;
            }
            GrpcLog.UnsendableTrailer(_logger, entry.Key, MethodCore);
            status = new Status(StatusCode.Internal, $"Trailer '{entry.Key}' has characters that cannot be sent; use a '-bin' key.");
        }
        target.GrpcStatus = StatusNumber(status.StatusCode);
        if (status.Detail.Length > 0) target.GrpcMessage = PercentEncoding.Encode(status.Detail);
    }

    /// <summary>Unlike the framework's Append, this keeps empty values.</summary>
    private static void Append(IHeaderDictionary target, Metadata.Entry entry) =>
        target[entry.Key] = StringValues.Concat(target[entry.Key], Headers.ToHeaderValue(entry));

    private static string StatusNumber(StatusCode code) => (uint)code < (uint)StatusNumbers.Length ? StatusNumbers[(int)code] : ((int)code).ToString();

    private static readonly string[] StatusNumbers = [.. Enumerable.Range(0, 17).Select(code => code.ToString())];
}
