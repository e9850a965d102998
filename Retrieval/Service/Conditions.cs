using Google.Protobuf.WellKnownTypes;
using Recsys.Catalog.Attributes;

namespace Recsys.Retrieval.Service;

/// <summary>A request's conditions, in Catalog's words.</summary>
internal static class Conditions
{
    /// <summary>Conditions of a request, and values of all of them together.</summary>
    public const int MaxConditions = 32, MaxValues = 1_000;

    /// <returns>Null: there is none.</returns>
    /// <exception cref="CatalogException">InvalidArgument: too many of them, one without a test, a text or bound out of range.</exception>
    public static ItemFilter? Read(IReadOnlyList<V1.Condition> conditions)
    {
        int values = conditions.Sum(condition => (condition.AnyOf ?? condition.NoneOf)?.Values_.Count ?? 0);
        if (conditions.Count > MaxConditions || values > MaxValues)
        {
            throw CatalogException.Invalid(
                $"{conditions.Count} conditions with {values} values; allowed are {MaxConditions} with {MaxValues} values together.");
        }

        return conditions.Count == 0 ? null : new ItemFilter([.. conditions.Select(Read)]);
    }

    private static Condition Read(V1.Condition condition)
    {
        Check("The name of a condition's attribute", condition.Attribute);
        return condition.TestCase switch
        {
            V1.Condition.TestOneofCase.AnyOf => new AnyOf(condition.Attribute, Checked(condition.AnyOf)),
            V1.Condition.TestOneofCase.NoneOf => new NoneOf(condition.Attribute, Checked(condition.NoneOf)),
            V1.Condition.TestOneofCase.Number => new NumberRange(
                condition.Attribute, condition.Number.HasMin ? condition.Number.Min : null,
                condition.Number.HasMax ? condition.Number.Max : null),
            V1.Condition.TestOneofCase.Time => new TimeRange(
                condition.Attribute, Moment(condition.Time.From), Moment(condition.Time.Until)),
            _ => throw CatalogException.Invalid(
                $"The condition on '{condition.Attribute}' has no test: give any_of, none_of, number or time."),
        };
    }

    private static string[] Checked(V1.Values values)
    {
        foreach (string value in values.Values_)
        {
            Check("A value of a condition", value);
        }

        return [.. values.Values_];
    }

    private static void Check(string what, string text)
    {
        if (text.Length is 0 or > ItemAttributes.MaxLength)
        {
            throw CatalogException.Invalid(
                $"{what} has {text.Length} characters ('{ItemIds.Shown(text)}'); allowed are 1 to {ItemAttributes.MaxLength}.");
        }
    }

    private static DateTimeOffset? Moment(Timestamp? time)
    {
        try
        {
            return time?.ToDateTimeOffset();
        }
        catch (InvalidOperationException)
        {
            throw CatalogException.Invalid(
                $"A time of a condition is {time!.Seconds} s and {time.Nanos} ns; allowed are the years 1 to 9999.");
        }
    }
}
