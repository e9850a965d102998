using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Recsys.Grpc.Tests.Hosting;
using Recsys.Grpc.Tests.V1;

namespace Recsys.Grpc.Tests;

/// <summary>TLS and mutual TLS, with certificates made here.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly X509Certificate2 _authority, _server, _client, _stranger;

    public TlsTests()
    {
        _authority = SelfSigned("test authority", isAuthority: true);
        _server = Issue("localhost", serverAuthentication: true);
        _client = Issue("client-7", serverAuthentication: false);
        _stranger = SelfSigned("client-7", isAuthority: false);
    }

    private static X509Certificate2 SelfSigned(string name, bool isAuthority)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private X509Certificate2 Issue(string name, bool serverAuthentication)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid(serverAuthentication ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2")], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(_authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }

    private bool IsOurs(X509Certificate? certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return certificate is not null && chain.Build(new X509Certificate2(certificate));
    }

    private Task<EchoHost> StartAsync(ClientCertificateMode mode, Action<AuthContext>? seen = null) => EchoHost.StartAsync(
        options => options.Interceptors.Add<Looking>(seen ?? (_ => { })),
        listen: endpoint => endpoint.UseHttps(https =>
        {
            https.ServerCertificate = _server;
            https.ClientCertificateMode = mode;
            https.ClientCertificateValidation = (certificate, _, _) => IsOurs(certificate);
        }));

    private sealed class Looking(Action<AuthContext> seen) : global::Grpc.Core.Interceptors.Interceptor
    {
        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            seen(context.AuthContext);
            return continuation(request, context);
        }
    }

    private GrpcChannel Channel(EchoHost host, X509Certificate2? certificate = null, bool trust = true, ServiceConfig? config = null) => GrpcChannel.ForAddress(
        new UriBuilder(host.Address) { Scheme = "https", Host = config is null ? "localhost" : "127.0.0.1" }.Uri, new GrpcChannelOptions
        {
            ServiceConfig = config,
            HttpHandler = new SocketsHttpHandler
            {
                UseProxy = false,
                SslOptions = new SslClientAuthenticationOptions
                {
                    ClientCertificates = certificate is null ? null : [certificate],
                    RemoteCertificateValidationCallback = trust
                        ? (_, remote, _, errors) => (errors & SslPolicyErrors.RemoteCertificateNameMismatch) == 0 && IsOurs(remote)
                        : null,
                },
            },
            DisposeHttpClient = true,
        });

    [Fact]
    public async Task Call_over_tls()
    {
        AuthContext? seen = null;
        await using EchoHost host = await StartAsync(ClientCertificateMode.NoCertificate, context => seen = context);
        using GrpcChannel channel = Channel(host);
        Assert.Equal("x", (await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest { Text = "x" })).Text);
        Assert.False(seen!.IsPeerAuthenticated);
    }

    [Fact]
    public async Task Server_that_is_not_trusted_gets_no_call()
    {
        await using EchoHost host = await StartAsync(ClientCertificateMode.NoCertificate);
        using GrpcChannel channel = Channel(host, trust: false);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(async () => await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest()))).StatusCode);
        Assert.Equal(0, host.Probe.Calls);
    }

    [Fact]
    public async Task Client_is_known_by_its_certificate()
    {
        AuthContext? seen = null;
        await using EchoHost host = await StartAsync(ClientCertificateMode.RequireCertificate, context => seen = context);
        using GrpcChannel channel = Channel(host, _client);
        await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest());
        Assert.True(seen!.IsPeerAuthenticated);
        Assert.Equal("client-7", seen.PeerIdentity.First().Value);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Client_without_a_certificate_or_with_a_strangers_is_refused(bool strangers)
    {
        await using EchoHost host = await StartAsync(ClientCertificateMode.RequireCertificate);
        using GrpcChannel channel = Channel(host, strangers ? _stranger : null);
        StatusCode status = (await Assert.ThrowsAsync<RpcException>(async () => await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest()))).StatusCode;
        Assert.Contains(status, new[] { StatusCode.Unavailable, StatusCode.Internal }); // TLS 1.3 tells the client only after it has sent
        Assert.Equal(0, host.Probe.Calls);
    }

    [Fact]
    public async Task Round_robin_speaks_tls_too()
    {
        await using EchoHost host = await StartAsync(ClientCertificateMode.RequireCertificate);
        using GrpcChannel channel = Channel(host, _client, config: new ServiceConfig { LoadBalancingConfigs = { new RoundRobinConfig() } });
        Assert.Equal("x", (await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest { Text = "x" })).Text);
        using GrpcChannel untrusting = Channel(host, _client, trust: false, config: new ServiceConfig { LoadBalancingConfigs = { new RoundRobinConfig() } });
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(
            async () => await new Echo.EchoClient(untrusting).UnaryAsync(new EchoRequest()))).StatusCode);
    }

    [Fact]
    public async Task Call_credentials_go_over_tls()
    {
        await using EchoHost host = await StartAsync(ClientCertificateMode.NoCertificate);
        using GrpcChannel channel = Channel(host);
        using AsyncUnaryCall<EchoResponse> call = new Echo.EchoClient(channel).UnaryAsync(new EchoRequest(), new CallOptions(
            credentials: CallCredentials.FromInterceptor((_, metadata) => { metadata.Add("x-token", "t"); return Task.CompletedTask; })));
        Assert.Equal("t", (await call.ResponseHeadersAsync).GetValue("x-token"));
        await call;
    }

    public void Dispose()
    {
        foreach (X509Certificate2 certificate in new[] { _authority, _server, _client, _stranger }) certificate.Dispose();
    }
}
