using Google.Protobuf.WellKnownTypes;
using Recsys.Catalog;

namespace Recsys.Protos;

/// <summary>When something happened, as a request tells it.</summary>
public static class RequestTimes
{
    /// <summary>How far ahead of a server's clock a time may be: else it would outdo all that is true later.</summary>
    public static readonly TimeSpan MaxAhead = TimeSpan.FromMinutes(5);

    /// <param name="field">Of the request, that has it.</param>
    /// <param name="what">What has the time, for the message.</param>
    /// <param name="time">Null: now.</param>
    /// <param name="now">The server's clock.</param>
    /// <exception cref="CatalogException">InvalidArgument: too far ahead, or no time at all.</exception>
    public static DateTimeOffset Read(string field, string what, Timestamp? time, DateTimeOffset now)
    {
        try
        {
            return time is null ? now
                : time.ToDateTimeOffset() is var moment && moment <= now + MaxAhead ? moment
                : throw CatalogException.InvalidField(
                    field,
                    $"{what} has the time {moment:O}; it is {now:O} here, and at most {MaxAhead.TotalMinutes} minutes more are allowed.");
        }
        catch (InvalidOperationException)
        {
            throw CatalogException.InvalidField(
                field, $"{what} has a time of {time!.Seconds} s and {time.Nanos} ns; allowed are the years 1 to 9999.");
        }
    }
}
