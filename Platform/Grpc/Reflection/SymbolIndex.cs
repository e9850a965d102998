using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Grpc.Reflection;

/// <summary>Files and symbols of a set of services, as reflection hands them out.</summary>
public sealed class SymbolIndex
{
    private readonly Dictionary<string, FileDescriptor> _files = [];
    private readonly Dictionary<string, FileDescriptor> _symbols = [];

    public SymbolIndex(IEnumerable<ServiceDescriptor> services)
    {
        ArgumentNullException.ThrowIfNull(services);
        ServiceDescriptor[] all = [.. services];
        ServiceNames = [.. all.Select(service => service.FullName).Distinct().Order(StringComparer.Ordinal)];
        foreach (ServiceDescriptor service in all) AddFile(service.File);
    }

    public IReadOnlyList<string> ServiceNames { get; }

    /// <summary>The file and all it imports, serialized; null when there is no such file.</summary>
    public IReadOnlyList<ByteString>? FileByName(string name) => _files.TryGetValue(name, out FileDescriptor? file) ? Closure(file) : null;

    /// <summary>The file that declares a message, enum, service, method or field by full name, and all it imports; null when none does.</summary>
    public IReadOnlyList<ByteString>? FileBySymbol(string symbol) =>
        _symbols.TryGetValue(symbol.TrimStart('.'), out FileDescriptor? file) ? Closure(file) : null;

    /// <summary>True for a message type, which in proto3 has no extensions.</summary>
    public bool HasMessage(string name) =>
        _symbols.TryGetValue(name.TrimStart('.'), out FileDescriptor? file) && file.FindTypeByName<MessageDescriptor>(LocalName(file, name.TrimStart('.'))) is not null;

    private static string LocalName(FileDescriptor file, string fullName) =>
        file.Package.Length == 0 ? fullName : fullName[(file.Package.Length + 1)..];

    private void AddFile(FileDescriptor file)
    {
        if (!_files.TryAdd(file.Name, file)) return;
        foreach (FileDescriptor import in file.Dependencies) AddFile(import);
        foreach (MessageDescriptor message in file.MessageTypes) AddMessage(message);
        foreach (EnumDescriptor type in file.EnumTypes) _symbols[type.FullName] = file;
        foreach (ServiceDescriptor service in file.Services)
        {
            _symbols[service.FullName] = file;
            foreach (MethodDescriptor method in service.Methods) _symbols[method.FullName] = file;
        }
    }

    private void AddMessage(MessageDescriptor message)
    {
        _symbols[message.FullName] = message.File;
        foreach (FieldDescriptor field in message.Fields.InDeclarationOrder()) _symbols[field.FullName] = message.File;
        foreach (EnumDescriptor type in message.EnumTypes) _symbols[type.FullName] = message.File;
        foreach (MessageDescriptor nested in message.NestedTypes) AddMessage(nested);
    }

    private static List<ByteString> Closure(FileDescriptor file)
    {
        var seen = new HashSet<string>();
        var ordered = new List<ByteString>();
        void Visit(FileDescriptor next)
        {
            if (!seen.Add(next.Name)) return;
            ordered.Add(next.SerializedData);
            foreach (FileDescriptor import in next.Dependencies) Visit(import);
        }
        Visit(file);
        return ordered;
    }
}
