namespace Recsys.Client;

/// <summary>How a backend calls the server.</summary>
public sealed record RecsysClientOptions
{
    /// <summary>Where the server answers gRPC: <c>http://host:5757</c>; <c>dns:///recsys:5757</c> spreads calls over its
    /// addresses.</summary>
    public required string Address { get; set; }

    /// <summary>What a call may take, retries included, where it brings no deadline of its own; 1 ms to 1 h.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How often a call is tried, 1 to 5: again where the server is away, is stopping, or has too many requests waiting.</summary>
    public int Attempts { get; set; } = 3;

    /// <summary>
    /// Retries for each call that ends well, 0.001 to 1: where nothing ends well, nothing is tried again after the first ten, so that a
    /// server in trouble is not asked more than before.
    /// </summary>
    public double RetryBudget { get; set; } = 0.1;

    /// <summary>The wait before the second attempt, 1 ms to 10 s; it doubles up to ten times this. Where the server says when to come back,
    /// that counts.</summary>
    public TimeSpan Backoff { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <exception cref="ArgumentException">Every value that is out of its range.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        Check(Uri.TryCreate(Address, UriKind.Absolute, out _), $"Address is '{Address}'; write for example http://localhost:5757");
        Check(
            Deadline >= TimeSpan.FromMilliseconds(1) && Deadline <= TimeSpan.FromHours(1),
            $"Deadline is {Deadline}; allowed are 1 ms to 1 h");
        Check(Attempts is >= 1 and <= 5, $"Attempts is {Attempts}; allowed are 1 to 5");
        Check(RetryBudget is >= 0.001 and <= 1, $"RetryBudget is {RetryBudget}; allowed are 0.001 to 1");
        Check(
            Backoff >= TimeSpan.FromMilliseconds(1) && Backoff <= TimeSpan.FromSeconds(10),
            $"Backoff is {Backoff}; allowed are 1 ms to 10 s");
        if (faults.Count > 0)
        {
            throw new ArgumentException($"RecsysClientOptions: {string.Join("; ", faults)}.");
        }

        void Check(bool holds, string fault)
        {
            if (!holds)
            {
                faults.Add(fault);
            }
        }
    }
}
