using Google.Protobuf.WellKnownTypes;
using Recsys.Catalog.Attributes;

namespace Recsys.Retrieval.Service;

/// <summary>A request's conditions, boosts and caps, in Catalog's words.</summary>
internal static class Conditions
{
    /// <summary>Conditions of a request, and values of all of them together.</summary>
    public const int MaxConditions = 32, MaxValues = 1_000;

    /// <summary>Boosts and caps of a request, and the largest sum that a boost adds.</summary>
    public const int MaxBoosts = 16, MaxCaps = 4, MaxAdd = 1_000;

    /// <returns>Null: there is none.</returns>
    /// <exception cref="CatalogException">InvalidArgument: too many of them, one without a test, a text or bound out of range.</exception>
    public static ItemFilter? Read(IReadOnlyList<V1.Condition> conditions)
    {
        int values = conditions.Sum(condition => (condition.AnyOf ?? condition.NoneOf)?.Values_.Count ?? 0);
        if (conditions.Count > MaxConditions || values > MaxValues)
        {
            throw CatalogException.InvalidField(
                "conditions",
                $"{conditions.Count} conditions with {values} values; allowed are {MaxConditions} with {MaxValues} values together.");
        }

        return conditions.Count == 0 ? null : new ItemFilter([.. conditions.Select(Read)]);
    }

    /// <exception cref="CatalogException">InvalidArgument: too many boosts, or one that adds no number in its range.</exception>
    public static Boost[] Read(IReadOnlyList<V1.Boost> boosts)
    {
        if (boosts.Count > MaxBoosts || boosts.Any(boost => !(Math.Abs(boost.Add) <= MaxAdd)))
        {
            throw CatalogException.InvalidField(
                "boosts",
                $"{boosts.Count} boosts that add {string.Join(", ", boosts.Take(MaxBoosts).Select(boost => boost.Add))}; allowed are "
                + $"{MaxBoosts} of -{MaxAdd} to {MaxAdd}.");
        }

        var filter = Read([.. boosts.Select(boost => boost.Condition ?? new V1.Condition())]);
        return [.. (filter?.Conditions ?? []).Zip(boosts, (condition, boost) => new Boost(condition, boost.Add))];
    }

    /// <exception cref="CatalogException">InvalidArgument: too many caps, or one out of range.</exception>
    public static Cap[] Read(IReadOnlyList<V1.Cap> caps)
    {
        if (caps.Count > MaxCaps || caps.Any(cap => cap.Most is < 1 or > RecommendQuery.MaxK))
        {
            throw CatalogException.InvalidField(
                "caps",
                $"{caps.Count} caps of {string.Join(", ", caps.Take(MaxCaps).Select(cap => cap.Most))} answers; allowed are {MaxCaps} of 1 "
                + $"to {RecommendQuery.MaxK}.");
        }

        foreach (var cap in caps)
        {
            Check("caps.attribute", "The name of a cap's attribute", cap.Attribute);
        }

        return [.. caps.Select(cap => new Cap(cap.Attribute, cap.Most))];
    }

    private static Condition Read(V1.Condition condition)
    {
        Check("conditions.attribute", "The name of a condition's attribute", condition.Attribute);
        return condition.TestCase switch
        {
            V1.Condition.TestOneofCase.AnyOf => new AnyOf(condition.Attribute, Checked(condition.AnyOf)),
            V1.Condition.TestOneofCase.NoneOf => new NoneOf(condition.Attribute, Checked(condition.NoneOf)),
            V1.Condition.TestOneofCase.Number when double.IsNaN(condition.Number.Min) || double.IsNaN(condition.Number.Max) =>
                throw CatalogException.InvalidField(
                    "conditions.number", $"A bound of the condition on '{condition.Attribute}' is NaN; give a number, or none."),
            V1.Condition.TestOneofCase.Number => new NumberRange(
                condition.Attribute, condition.Number.HasMin ? condition.Number.Min : null,
                condition.Number.HasMax ? condition.Number.Max : null),
            V1.Condition.TestOneofCase.Time => new TimeRange(
                condition.Attribute, Moment(condition.Time.From), Moment(condition.Time.Until)),
            _ => throw CatalogException.InvalidField(
                "conditions", $"The condition on '{condition.Attribute}' has no test: give any_of, none_of, number or time."),
        };
    }

    private static string[] Checked(V1.Values values)
    {
        foreach (string value in values.Values_)
        {
            Check("conditions.values", "A value of a condition", value);
        }

        return [.. values.Values_];
    }

    private static void Check(string field, string what, string text)
    {
        if (text.Length is 0 or > ItemAttributes.MaxLength)
        {
            throw CatalogException.InvalidField(
                field, $"{what} has {text.Length} characters ('{ItemIds.Shown(text)}'); allowed are 1 to {ItemAttributes.MaxLength}.");
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
            throw CatalogException.InvalidField(
                "conditions.time",
                $"A time of a condition is {time!.Seconds} s and {time.Nanos} ns; allowed are the years 1 to 9999.");
        }
    }
}
