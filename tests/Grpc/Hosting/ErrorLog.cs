using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Recsys.Grpc.Tests.Hosting;

/// <summary>Keeps errors and warnings, so that a test can fail on those it did not expect.</summary>
public sealed class ErrorLog : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _errors = [];

    public IReadOnlyCollection<string> Errors => _errors;

    public ILogger CreateLogger(string categoryName) => new CategoryLog(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class CategoryLog(ErrorLog owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Debug;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Error) owner._errors.Enqueue($"{category}/{eventId.Name}: {formatter(state, exception)} {exception}");
        }
    }
}
