using System.Runtime.InteropServices;
using System.Text;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Native;

/// <summary>
/// Lays values out as native arguments: lists are copied to a stack buffer, or to the heap where it is full. Each tensor is held
/// from here until <see cref="ReleaseTensors"/>, so that disposing it on another thread cannot free it under a running call.
/// </summary>
internal unsafe ref struct Scratch
{
    internal const int Words = 96;
    private readonly long* _stack;
    private int _used;
    private List<nint>? _heap;

    internal Scratch(long* stack)
    {
        _stack = stack;
    }

    internal void Place(in Value value, Arg* argument, ref int held)
    {
        argument->Kind = value.Kind;
        argument->Count = 0;
        switch (value.Kind)
        {
            case Kind.Tensor:
                argument->Payload = ((Tensor)value.Reference!).Hold();
                held++;
                break;
            case Kind.IntList:
                Copy<long>((long[])value.Reference!, argument);
                break;
            case Kind.DoubleList:
                Copy<double>((double[])value.Reference!, argument);
                break;
            case Kind.BoolList:
                Copy<bool>((bool[])value.Reference!, argument);
                break;
            case Kind.String:
                Copy<byte>(Encoding.UTF8.GetBytes((string)value.Reference!), argument);
                break;
            case Kind.Generator:
                argument->Payload = ((Generator)value.Reference!).Handle;
                break;
            case Kind.TensorList:
                var list = (Tensor?[])value.Reference!;
                var handles = (nint*)Take(list.Length);
                for (var i = 0; i < list.Length; i++)
                {
                    handles[i] = list[i] is { } t ? t.Hold() : 0;
                    held += handles[i] != 0 ? 1 : 0;
                }

                argument->Payload = (long)handles;
                argument->Count = list.Length;
                break;
            default:
                argument->Payload = value.Bits;
                break;
        }
    }

    /// <summary>Lets go of the first <paramref name="held"/> tensors among the values, in the order they were held.</summary>
    internal static void ReleaseTensors(ReadOnlySpan<Value> values, int held)
    {
        for (var i = 0; held > 0; i++)
        {
            if (values[i].Kind == Kind.Tensor)
            {
                ((Tensor)values[i].Reference!).Release();
                held--;
            }
            else if (values[i].Kind == Kind.TensorList)
            {
                foreach (var t in (Tensor?[])values[i].Reference!)
                {
                    if (t is not null && held > 0)
                    {
                        t.Release();
                        held--;
                    }
                }
            }
        }
    }

    internal void Dispose()
    {
        foreach (var block in _heap ?? [])
        {
            NativeMemory.Free((void*)block);
        }
    }

    private void Copy<T>(ReadOnlySpan<T> list, Arg* argument)
        where T : unmanaged
    {
        var memory = Take(((list.Length * sizeof(T)) + 7) / 8);
        list.CopyTo(new Span<T>(memory, list.Length));
        argument->Payload = (long)memory;
        argument->Count = list.Length;
    }

    private long* Take(int words)
    {
        if (_used + words <= Words)
        {
            var at = _stack + _used;
            _used += words;
            return at;
        }

        var block = (long*)NativeMemory.Alloc((nuint)words * 8);
        (_heap ??= []).Add((nint)block);
        return block;
    }
}
