using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf.WellKnownTypes;
using Recsys.Catalog;
using Recsys.Catalog.Attributes;
using Recsys.V1;
using NumberRange = Recsys.V1.NumberRange;
using TimeRange = Recsys.V1.TimeRange;

namespace Recsys.Cli.Terminal;

/// <summary>Conditions on attributes as the command line takes them.</summary>
internal static partial class ConditionText
{
    public const string Form = "brand=Acme|Apex, brand!=Acme, price<=20, stock>=1, published>=2026-11-01";

    /// <exception cref="CatalogException">InvalidArgument: the text is none.</exception>
    public static V1.Condition Read(string text)
    {
        if (Parts().Match(text) is not { Success: true } parts)
        {
            throw CatalogException.Invalid($"--where '{text}' is no condition; write for example {Form}.");
        }

        var (attribute, test, value) = (parts.Groups[1].Value, parts.Groups[2].Value, parts.Groups[3].Value);
        var values = new Values { Values_ = { value.Split(AttributeValues.Separator) } };
        return test switch
        {
            "=" => new V1.Condition { Attribute = attribute, AnyOf = values },
            "!=" => new V1.Condition { Attribute = attribute, NoneOf = values },
            _ when double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double bound) => new V1.Condition
            {
                Attribute = attribute, Number = test == ">=" ? new NumberRange { Min = bound } : new NumberRange { Max = bound },
            },
            _ when AttributeValues.TryTime(value, out var time) => new V1.Condition
            {
                Attribute = attribute,
                Time = test == ">="
                    ? new TimeRange { From = time.ToTimestamp() }
                    : new TimeRange { Until = time.AddTicks(1).ToTimestamp() },
            },
            _ => throw CatalogException.Invalid($"--where '{text}': '{value}' is neither a number nor an ISO 8601 date."),
        };
    }

    [GeneratedRegex("^(.+?)(!=|<=|>=|=)(.+)$", RegexOptions.Singleline)]
    private static partial Regex Parts();
}
