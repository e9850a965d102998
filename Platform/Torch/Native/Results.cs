using static Recsys.Torch.Native.Exports;
using static Recsys.Torch.torch;

namespace Recsys.Torch.Native;

/// <summary>Takes ownership of what an operator returned; what cannot be passed on is freed before the error is thrown.</summary>
internal static unsafe class Results
{
    internal static Tensor[] Tensors(string op, Out* results, int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (results[i].Kind != Kind.Tensor)
            {
                throw Unexpected(op, results, count);
            }
        }

        var tensors = new Tensor[count];
        for (var i = 0; i < count; i++)
        {
            tensors[i] = Tensor.Own(results[i]);
        }

        return tensors;
    }

    internal static TorchException Unexpected(string op, Out* results, int count)
    {
        var kinds = new List<Kind>();
        for (var i = 0; i < count; i++)
        {
            kinds.Add(results[i].Kind);
            Free(results + i);
        }

        return new TorchException(TorchFault.Unknown, $"{op} returned ({string.Join(", ", kinds)}), which is not what its caller expected.", op);
    }

    private static void Free(Out* result)
    {
        if (result->Kind == Kind.Tensor)
        {
            rs_tensor_free((nint)result->Payload);
        }
        else if (result->Kind == Kind.TensorList)
        {
            var list = (Out*)result->Payload;
            for (var i = 0; i < result->Count; i++)
            {
                Free(list + i);
            }

            rs_free(list);
        }
    }
}
