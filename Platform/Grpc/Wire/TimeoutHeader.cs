using System.Globalization;

namespace Grpc.Wire;

/// <summary>The grpc-timeout header: 1 to 8 digits and a unit of H, M, S, m, u or n.</summary>
internal static class TimeoutHeader
{
    private const long MaxDigits = 99_999_999;

    /// <summary>False when the value is not of that form. A time beyond <see cref="TimeSpan"/> becomes its maximum.</summary>
    public static bool TryParse(ReadOnlySpan<char> value, out TimeSpan timeout)
    {
        timeout = default;
        // The framework's parser would take trailing zero characters too.
        if (value.Length is < 2 or > 9 || value[..^1].ContainsAnyExceptInRange('0', '9')) return false;
        long amount = long.Parse(value[..^1], NumberStyles.None, CultureInfo.InvariantCulture);
        double ticksPerUnit = value[^1] switch
        {
            'H' => TimeSpan.TicksPerHour,
            'M' => TimeSpan.TicksPerMinute,
            'S' => TimeSpan.TicksPerSecond,
            'm' => TimeSpan.TicksPerMillisecond,
            'u' => TimeSpan.TicksPerMicrosecond,
            'n' => 0.01,
            _ => 0,
        };
        if (ticksPerUnit == 0) return false;
        double ticks = amount * ticksPerUnit;
        timeout = ticks >= long.MaxValue ? TimeSpan.MaxValue : TimeSpan.FromTicks((long)Math.Ceiling(ticks));
        return true;
    }

    /// <summary>The finest unit in which the time fits, rounded up.</summary>
    public static string Format(TimeSpan timeout)
    {
        long ticks = Math.Max(timeout.Ticks, 0);
        if (ticks <= MaxDigits / 100) return $"{ticks * 100}n";
        foreach ((char unit, long ticksPerUnit) in Units)
        {
            long amount = ticks / ticksPerUnit + (ticks % ticksPerUnit == 0 ? 0 : 1);
            if (amount <= MaxDigits) return $"{amount}{unit}";
        }
        return $"{MaxDigits}H";
    }

    private static readonly (char Unit, long Ticks)[] Units =
    [
        ('u', TimeSpan.TicksPerMicrosecond),
        ('m', TimeSpan.TicksPerMillisecond),
        ('S', TimeSpan.TicksPerSecond),
        ('M', TimeSpan.TicksPerMinute),
        ('H', TimeSpan.TicksPerHour),
    ];
}
