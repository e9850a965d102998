using System.Globalization;
using Grpc.Core;

namespace Grpc.Net.Client.Configuration;

/// <summary>A checked service config, looked up by method.</summary>
internal sealed class CallConfig
{
    private readonly Dictionary<(string? Service, string? Method), MethodConfig> _methods = [];

    /// <exception cref="InvalidOperationException">With all that is wrong in the config.</exception>
    public CallConfig(ServiceConfig config)
    {
        List<string> faults = [];
        for (int i = 0; i < config.MethodConfigs.Count; i++)
        {
            MethodConfig method = config.MethodConfigs[i];
            string at = $"MethodConfigs[{i}]";
            if (method.Names.Count == 0) faults.Add($"{at}.Names is empty: add MethodName.Default for all methods.");
            foreach (MethodName name in method.Names)
            {
                string? service = string.IsNullOrEmpty(name.Service) ? null : name.Service, named = string.IsNullOrEmpty(name.Method) ? null : name.Method;
                if (service is null && named is not null) faults.Add($"{at}.Names has method '{named}' without its service.");
                if (!_methods.TryAdd((service, named), method)) faults.Add($"{at}.Names: '{service}/{named}' has a config already.");
            }
            if (method.Timeout <= TimeSpan.Zero) faults.Add($"{at}.Timeout is {method.Timeout}; it must be above 0.");
            if (method.RetryPolicy is { } retry) Check(retry, $"{at}.RetryPolicy", faults);
        }
        if (config.RetryThrottling is { } throttling)
        {
            if (throttling.MaxTokens is not (> 0 and <= 1000)) faults.Add($"RetryThrottling.MaxTokens is {Text(throttling.MaxTokens)}; it must be 1 to 1000.");
            if (throttling.TokenRatio is not > 0) faults.Add($"RetryThrottling.TokenRatio is {Text(throttling.TokenRatio)}; it must be above 0.");
        }
        if (faults.Count > 0) throw new InvalidOperationException($"The service config is wrong: {string.Join(' ', faults)}");
    }

    public MethodConfig? Of(IMethod method) =>
        _methods.GetValueOrDefault((method.ServiceName, method.Name))
        ?? _methods.GetValueOrDefault((method.ServiceName, null))
        ?? _methods.GetValueOrDefault((null, null));

    private static void Check(RetryPolicy retry, string at, List<string> faults)
    {
        if (retry.MaxAttempts is not >= 2) faults.Add($"{at}.MaxAttempts is {Text(retry.MaxAttempts)}; it must be at least 2.");
        if (!(retry.InitialBackoff > TimeSpan.Zero)) faults.Add($"{at}.InitialBackoff is {Text(retry.InitialBackoff)}; it must be above 0.");
        if (!(retry.MaxBackoff > TimeSpan.Zero)) faults.Add($"{at}.MaxBackoff is {Text(retry.MaxBackoff)}; it must be above 0.");
        if (retry.BackoffMultiplier is not > 0) faults.Add($"{at}.BackoffMultiplier is {Text(retry.BackoffMultiplier)}; it must be above 0.");
        if (retry.RetryableStatusCodes.Count == 0) faults.Add($"{at}.RetryableStatusCodes is empty: name the codes after which to try again.");
        if (retry.RetryableStatusCodes.Contains(StatusCode.OK)) faults.Add($"{at}.RetryableStatusCodes holds OK, which is no failure.");
    }

    private static string Text<T>(T? value)
        where T : struct, IFormattable => value is { } known ? known.ToString(null, CultureInfo.InvariantCulture) : "not set";
}
