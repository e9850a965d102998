using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Recsys.Cli.Terminal;

/// <summary>
/// How the command line reads numbers: digits and a decimal point, the same in every country. The library's own reader drops
/// commas as thousands signs, so that 1,5 would be 15.
/// </summary>
internal static class StrictNumbers
{
    private const NumberStyles Whole = NumberStyles.AllowLeadingSign,
        Real = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    /// <summary>Gives every option of a command and of its subcommands that takes a number this reader.</summary>
    /// <exception cref="NotSupportedException">A number that this class does not read: it would be read the library's way.</exception>
    public static void Apply(Command command)
    {
        foreach (var option in command.Options)
        {
            switch (option)
            {
                case Option<int> number: number.CustomParser = Read<int>; break;
                case Option<long> number: number.CustomParser = Read<long>; break;
                case Option<double> number: number.CustomParser = Read<double>; break;
                case Option<int?> number: number.CustomParser = result => Read<int>(result); break;
                case Option<long?> number: number.CustomParser = result => Read<long>(result); break;
                case Option<double?> number: number.CustomParser = result => Read<double>(result); break;
                default: Refuse(option.Name, option.ValueType); break;
            }
        }

        command.Arguments.ToList().ForEach(argument => Refuse(argument.Name, argument.ValueType));
        command.Subcommands.ToList().ForEach(Apply);
    }

    private static T Read<T>(ArgumentResult result)
        where T : struct, INumber<T>, IMinMaxValue<T>
    {
        bool real = typeof(T) == typeof(double);
        string name = ((OptionResult)result.Parent!).Option.Name, text = result.Tokens[^1].Value;
        if (T.TryParse(text, real ? Real : Whole, CultureInfo.InvariantCulture, out T value) && T.IsFinite(value))
        {
            return value;
        }

        result.AddError(real
            ? $"{name} '{text}' is no number: write it with a decimal point, as in 1.5 or 1e-3, and without thousands signs."
            : $"{name} '{text}' is no whole number from {T.MinValue} to {T.MaxValue}: write digits alone, as in 1000.");
        return default;
    }

    private static void Refuse(string name, Type type)
    {
        type = type.IsArray ? type.GetElementType()! : Nullable.GetUnderlyingType(type) ?? type;
        if (type.GetInterfaces().Any(face => face.IsGenericType && face.GetGenericTypeDefinition() == typeof(INumber<>)))
        {
            throw new NotSupportedException($"{name}: add {type.Name} to {nameof(StrictNumbers)}.");
        }
    }
}
