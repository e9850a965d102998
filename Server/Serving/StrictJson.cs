using System.Text;
using Google.Api;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Microsoft.AspNetCore.Http;
using HttpRequest = Microsoft.AspNetCore.Http.HttpRequest;
using Status = Google.Rpc.Status;

namespace Recsys.Server.Serving;

/// <summary>
/// Refuses JSON bodies that are not what their call takes, with the field and what is wrong. The transcoding of ASP.NET Core passes over
/// fields that it does not know: a filter with a misspelt name would filter nothing.
/// </summary>
/// <param name="files">The contracts that are served.</param>
internal sealed class StrictJson(params IReadOnlyList<FileDescriptor> files)
{
    /// <summary>Bytes of a body that is looked through; larger ones hold vectors, and are read by the transcoding alone.</summary>
    private const int MaxBytes = 4 << 20;

    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(false));
    private static readonly JsonFormatter Formatter = new(
        JsonFormatter.Settings.Default.WithTypeRegistry(TypeRegistry.FromMessages(ErrorInfo.Descriptor)).WithFormatDefaultValues(true));

    private readonly Dictionary<string, MessageDescriptor> _inputs = files
        .SelectMany(file => file.Services).SelectMany(service => service.Methods)
        .Select(method => (method.InputType, Rule: method.GetOptions()?.GetExtension(AnnotationsExtensions.Http)))
        .Where(method => method.Rule?.Body == "*")
        .ToDictionary(method => method.Rule!.Post, method => method.InputType, StringComparer.Ordinal);

    /// <summary>Middleware around every call.</summary>
    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        if (request.Method == HttpMethods.Post && request.HasJsonContentType() && request.ContentLength is null or <= MaxBytes
            && _inputs.TryGetValue(request.Path, out var input))
        {
            request.EnableBuffering(MaxBytes);
            if (await FaultOfAsync(request, input, context.RequestAborted) is { } fault)
            {
                await RefuseAsync(context, fault);
                return;
            }
        }

        await next(context);
    }

    private static async Task<string?> FaultOfAsync(HttpRequest request, MessageDescriptor input, CancellationToken cancel)
    {
        var bytes = new byte[request.ContentLength ?? MaxBytes];
        int length = await request.Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel);
        request.Body.Position = 0;
        if (request.ContentLength is null && length == MaxBytes)
        {
            return null;
        }

        try
        {
            Parser.Parse(Encoding.UTF8.GetString(bytes, 0, length).TrimStart('\uFEFF'), input);
            return null;
        }
        catch (Exception error) when (error is InvalidProtocolBufferException or InvalidJsonException or InvalidOperationException
            or ArgumentException or FormatException or OverflowException)
        {
            string fields = string.Join(", ", input.Fields.InDeclarationOrder().Select(field => field.JsonName));
            return length == 0
                ? $"The body is empty; send a JSON object with fields of {input.Name}: {fields}."
                : $"The body is no {input.Name}: {error.Message.TrimEnd('.')}. Its fields are: {fields}.";
        }
    }

    private static async Task RefuseAsync(HttpContext context, string message)
    {
        var info = new ErrorInfo { Domain = "recsys", Reason = "INVALID_ARGUMENT" };
        var status = new Status { Code = (int)Code.InvalidArgument, Message = message, Details = { Any.Pack(info) } };
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(Formatter.Format(status), context.RequestAborted);
    }
}
