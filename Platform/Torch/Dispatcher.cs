using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Recsys.Torch.Native;
using static Recsys.Torch.Native.Exports;
using static Recsys.Torch.torch;

namespace Recsys.Torch;

/// <summary>
/// Calls any ATen operator by its schema name (<c>add.Tensor</c>, <c>linear</c>). Arguments stand in the schema's order; missing
/// trailing ones take its defaults. The name is a literal: its object is the key of a small cache, so a call pays no string hash.
/// </summary>
public static unsafe class Dispatcher
{
    private const int MaxArguments = 64;
    private const int CacheSize = 2048; // a power of two, some times the number of operators in use
    private static readonly Entry?[] Cache = new Entry?[CacheSize];
    private static readonly ConcurrentDictionary<string, nint> Operators = new();

    /// <summary>Whether this libtorch has the operator.</summary>
    public static bool Has(string op)
    {
        try
        {
            return Find(op) != 0;
        }
        catch (TorchException e) when (e.Fault == TorchFault.Unsupported)
        {
            return false;
        }
    }

    /// <summary>The operator's schema: its arguments with types and defaults, and its results.</summary>
    public static string Schema(string op)
    {
        var found = (void*)Find(op);
        long length;
        Check.Ok(rs_op_schema(found, null, 0, &length), op);
        var text = new byte[length];
        fixed (byte* p = text)
        {
            Check.Ok(rs_op_schema(found, p, length, &length), op);
        }

        return Encoding.UTF8.GetString(text);
    }

    /// <summary>Calls an operator with one tensor as its result.</summary>
    public static Tensor Call(string op, params ReadOnlySpan<Value> arguments)
    {
        Out result;
        Invoke(op, arguments, &result, 1);
        var tensor = result.Kind == Kind.Tensor ? Tensor.Own(result) : throw Results.Unexpected(op, &result, 1);
        if (ActivationWatch.Any)
        {
            ActivationWatch.Saw(op, arguments, tensor);
        }

        return tensor;
    }

    public static (Tensor, Tensor) Call2(string op, params ReadOnlySpan<Value> arguments)
    {
        var r = CallMany(op, 2, arguments);
        return (r[0], r[1]);
    }

    public static (Tensor, Tensor, Tensor) Call3(string op, params ReadOnlySpan<Value> arguments)
    {
        var r = CallMany(op, 3, arguments);
        return (r[0], r[1], r[2]);
    }

    /// <summary>Calls an operator with <paramref name="count"/> tensors as its results.</summary>
    public static Tensor[] CallMany(string op, int count, params ReadOnlySpan<Value> arguments)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, 16u, nameof(count));
        var results = stackalloc Out[count];
        Invoke(op, arguments, results, count);
        var tensors = Results.Tensors(op, results, count);
        if (ActivationWatch.Any)
        {
            ActivationWatch.Saw(op, arguments, tensors);
        }

        return tensors;
    }

    /// <summary>Calls an operator whose result is a tensor list.</summary>
    public static Tensor[] CallList(string op, params ReadOnlySpan<Value> arguments)
    {
        Out result;
        Invoke(op, arguments, &result, 1);
        if (result.Kind != Kind.TensorList)
        {
            throw Results.Unexpected(op, &result, 1);
        }

        var list = (Out*)result.Payload;
        try
        {
            return Results.Tensors(op, list, result.Count);
        }
        finally
        {
            rs_free(list);
        }
    }

    /// <summary>Calls an operator for its effect alone, such as an in-place one.</summary>
    public static void Run(string op, params ReadOnlySpan<Value> arguments) => Invoke(op, arguments, null, 0);

    /// <summary>Calls an operator whose result is a bool, an integer or a double.</summary>
    public static double CallNumber(string op, params ReadOnlySpan<Value> arguments)
    {
        Out result;
        Invoke(op, arguments, &result, 1);
        return result.Kind switch
        {
            Kind.Double => BitConverter.Int64BitsToDouble(result.Payload),
            Kind.Int or Kind.Bool => result.Payload,
            _ => throw Results.Unexpected(op, &result, 1),
        };
    }

    [SkipLocalsInit]
    internal static void Invoke(string name, ReadOnlySpan<Value> values, Out* results, int capacity)
    {
        if (values.Length > MaxArguments)
        {
            throw new TorchException(TorchFault.Argument, $"{name}: {values.Length} arguments, no operator takes more than {MaxArguments}.", name);
        }

        var op = Find(name);
        var arguments = stackalloc Arg[values.Length];
        var memory = stackalloc long[Scratch.Words];
        var scratch = new Scratch(memory);
        var held = 0;
        try
        {
            for (var i = 0; i < values.Length; i++)
            {
                scratch.Place(in values[i], arguments + i, ref held);
            }

            int returned;
            var status = rs_op_call((void*)op, arguments, values.Length, results, capacity, &returned);
            if (status != Status.Ok)
            {
                var failure = Check.Failure(status, name, Describe(values));
                bool saved = capacity > 0 && (failure.Fault == TorchFault.Memory
                    ? RetryAfterCollection(op, arguments, values.Length, results, capacity)
                    : HalfPrecision.IsMissing(failure) && HalfPrecision.Widen(name, values, results, capacity));
                if (!saved)
                {
                    throw failure;
                }
            }
        }
        finally
        {
            Scratch.ReleaseTensors(values, held);
            scratch.Dispose();
        }
    }

    // Tensors that nobody reaches any more may hold the memory that was missing. An in-place operator is not run twice.
    private static bool RetryAfterCollection(nint op, Arg* arguments, int count, Out* results, int capacity)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        int returned;
        return rs_op_call((void*)op, arguments, count, results, capacity, &returned) == Status.Ok;
    }

    internal static string Describe(ReadOnlySpan<Value> values)
    {
        var text = new StringBuilder();
        foreach (ref readonly var v in values)
        {
            text.Append(text.Length > 0 ? ", " : "").Append(v);
        }

        return text.ToString();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint Find(string name)
    {
        ref var slot = ref Cache[RuntimeHelpers.GetHashCode(name) & (CacheSize - 1)];
        var entry = slot;
        return entry is not null && ReferenceEquals(entry.Name, name) ? entry.Op : Lookup(name, ref slot);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static nint Lookup(string name, ref Entry? slot)
    {
        ArgumentNullException.ThrowIfNull(name);
        var op = Operators.GetOrAdd(name, static n =>
        {
            var dot = n.IndexOf('.', StringComparison.Ordinal);
            var space = n.Contains("::", StringComparison.Ordinal) ? "" : "aten::";
            fixed (byte* operatorName = Encoding.UTF8.GetBytes(space + (dot < 0 ? n : n[..dot]) + '\0'))
            fixed (byte* overload = Encoding.UTF8.GetBytes((dot < 0 ? "" : n[(dot + 1)..]) + '\0'))
            {
                void* found;
                Check.Ok(rs_op_find(operatorName, overload, &found), n);
                return (nint)found;
            }
        });
        slot = new Entry(name, op);
        return op;
    }

    private sealed record Entry(string Name, nint Op);
}
