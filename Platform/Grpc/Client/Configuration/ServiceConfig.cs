namespace Grpc.Net.Client.Configuration;

/// <summary>How a channel treats the calls of its services. Checked whole, with all faults at once, when a channel is made with it.</summary>
public sealed class ServiceConfig
{
    /// <summary>The first policy that is known counts; none means <see cref="PickFirstConfig"/>.</summary>
    public IList<LoadBalancingConfig> LoadBalancingConfigs { get; } = [];

    /// <summary>For a call the most exact of their names counts: method, else service, else <see cref="MethodName.Default"/>.</summary>
    public IList<MethodConfig> MethodConfigs { get; } = [];

    /// <summary>The channel's budget of retries; null for no budget.</summary>
    public RetryThrottlingPolicy? RetryThrottling { get; set; }
}

/// <summary>What calls of some methods do.</summary>
public sealed class MethodConfig
{
    public IList<MethodName> Names { get; } = [];

    /// <summary>Null: a failed call is not repeated.</summary>
    public RetryPolicy? RetryPolicy { get; set; }

    /// <summary>
    /// Longest time of a call, all attempts together; a call's own deadline counts when it is earlier. Null for none. This is the service
    /// config's "timeout", for which Grpc.Net.Client has no property.
    /// </summary>
    public TimeSpan? Timeout { get; set; }
}

/// <summary>Methods by name: without a method all of the service, without a service all there are.</summary>
public sealed class MethodName
{
    /// <summary>All methods that no other name matches.</summary>
    public static readonly MethodName Default = new();

    /// <summary>Full name, such as "package.Service".</summary>
    public string? Service { get; set; }

    public string? Method { get; set; }
}

/// <summary>A policy for choosing among several addresses.</summary>
public class LoadBalancingConfig(string policyName)
{
    public const string PickFirstPolicyName = "pick_first";

    public const string RoundRobinPolicyName = "round_robin";

    public string PolicyName { get; } = policyName;
}

/// <summary>Sends all calls to the first address that answers.</summary>
public sealed class PickFirstConfig() : LoadBalancingConfig(PickFirstPolicyName);

/// <summary>Sends calls to all addresses that answer, by turns.</summary>
public sealed class RoundRobinConfig() : LoadBalancingConfig(RoundRobinPolicyName);
