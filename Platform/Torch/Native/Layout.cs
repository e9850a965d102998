using System.Runtime.InteropServices;

namespace Recsys.Torch.Native;

/// <summary>How a native call ended. Kept in step with recsys::Status.</summary>
internal enum Status
{
    Ok = 0,
    Torch = 1,
    Index = 2,
    Type = 3,
    Unsupported = 4,
    Memory = 5,
    Standard = 6,
    Unknown = 7,
    Argument = 8,
}

/// <summary>The tag of an argument or a result. Kept in step with recsys::Kind.</summary>
internal enum Kind
{
    None = 0,
    Tensor = 1,
    Int = 2,
    Double = 3,
    Bool = 4,
    IntList = 5,
    DoubleList = 6,
    BoolList = 7,
    TensorList = 8,
    String = 9,
    Device = 10,
    Generator = 11,
    Slice = 12,
    Ellipsis = 13,
}

[StructLayout(LayoutKind.Sequential)]
internal struct Arg
{
    public Kind Kind;
    public int Count;
    public long Payload;
}

[StructLayout(LayoutKind.Sequential)]
internal struct Out
{
    public Kind Kind;
    public int Count;
    public long Payload;
    public long Bytes;
}

[StructLayout(LayoutKind.Sequential)]
internal struct Description
{
    public long Dim;
    public long Numel;
    public long ElementSize;
    public long StorageOffset;
    public long Device;
    public int Dtype;
    public int RequiresGrad;
    public int IsLeaf;
    public int IsContiguous;
    public int Layout;
    public int IsView;
}
