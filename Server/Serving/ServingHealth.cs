using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Recsys.Server.Serving;

/// <summary>Healthy means: answers from a version, and is not about to stop. A load balancer sends nothing otherwise.</summary>
internal sealed class ServingHealth(SnapshotHost snapshots, CallDrain drain) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            drain.IsStopping ? HealthCheckResult.Unhealthy("The server is stopping.")
            : snapshots.Serving is { } version ? HealthCheckResult.Healthy($"Version {version} serves.")
            : HealthCheckResult.Unhealthy("No version is active."));
}
