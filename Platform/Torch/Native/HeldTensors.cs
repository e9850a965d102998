using static Recsys.Torch.torch;

namespace Recsys.Torch.Native;

/// <summary>The handles of a list of tensors, held until disposed; an absent tensor is a null handle.</summary>
internal ref struct HeldTensors
{
    private readonly IList<Tensor>? _tensors;

    internal HeldTensors(IList<Tensor>? tensors)
    {
        _tensors = tensors;
        Handles = new nint[tensors?.Count ?? 0];
        try
        {
            for (; Count < Handles.Length; Count++)
            {
                Handles[Count] = tensors![Count]?.Hold() ?? 0;
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal nint[] Handles { get; }

    internal int Count { get; private set; }

    internal void Dispose()
    {
        for (; Count > 0; Count--)
        {
            _tensors![Count - 1]?.Release();
        }
    }
}
