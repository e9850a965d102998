#!/usr/bin/env bash
# TorchSharp 0.107.0: module.to(...) does not convert parameters and buffers in place, as PyTorch does: it makes others and puts them into the
# fields that bear the registered names. What else holds one of them (an array, a field of another name) is left with an emptied tensor,
# whose use raises InvalidOperationException ("empty handle"). An optimiser made before is such a holder.
source "$(dirname "$0")/torchsharp.bash"
seen=$(run_torchsharp '
var layer = new Layer();
layer.to(META);
Console.WriteLine($"{layer.gain.device.type} {layer.mean.device.type} {Of(layer.Parameters[0])} {Of(layer.Buffers[0])}");

static string Of(Tensor tensor)
{
    try { return tensor.device.type.ToString(); }
    catch (InvalidOperationException) { return "invalid"; }
}

class Layer : nn.Module
{
    public readonly Parameter gain = new(ones(3));
    public readonly Tensor mean = zeros(3);
    public readonly Parameter[] Parameters;
    public readonly Tensor[] Buffers;

    public Layer() : base("layer")
    {
        register_buffer("mean", mean);
        RegisterComponents();
        (Parameters, Buffers) = ([gain], [mean]);
    }
}')
echo "TorchSharp 0.107.0, to(META): parameter, buffer, the same two in arrays; expected META four times, seen $seen"
[ "$seen" = "META META invalid invalid" ] || { echo "changed"; exit 1; }
