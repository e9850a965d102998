using Microsoft.Extensions.Logging;

namespace Recsys.Server.Serving;

/// <summary>Says how this machine computes convolutions, to whom it concerns.</summary>
internal static partial class ConvolutionNotice
{
    /// <summary>To a server's log: what was found, as a warning where the slower way is taken.</summary>
    public static void Log(ILogger log, ConvolutionCheck check) =>
        Checked(log, check.Way == ConvolutionWay.Native ? LogLevel.Information : LogLevel.Warning, check);

    /// <summary>To standard error, before a training that the slower way makes longer.</summary>
    /// <param name="trainsPictures">Whether a creative model is trained; its convolutions run on the CPU.</param>
    public static void Warn(bool trainsPictures)
    {
        if (Warning(trainsPictures, () => Convolutions.Check) is { } warning)
        {
            Console.Error.WriteLine(warning);
        }
    }

    /// <returns>Null where there is nothing to warn of; without pictures the check is not asked.</returns>
    internal static string? Warning(bool trainsPictures, Func<ConvolutionCheck> check) =>
        trainsPictures && check() is { Way: ConvolutionWay.Products } products
            ? $"recsys: warning: {products}; training and drawing pictures take longer"
            : null;

    [LoggerMessage(EventId = 10, EventName = "ConvolutionsChecked", Message = "{Check}")]
    private static partial void Checked(ILogger logger, LogLevel level, ConvolutionCheck check);
}
