#!/usr/bin/env bash
# TorchSharp 0.107.0: Tensor.TotalCount is documented as the number of live tensors. A Parameter takes its tensor's handle over; the
# tensor it was made from is never counted down, so that each Parameter leaves 1 behind.
source "$(dirname "$0")/torchsharp.bash"
seen=$(run_torchsharp '
long before = Tensor.TotalCount;
for (int i = 0; i < 10; i++) new Parameter(ones(3)).Dispose();
for (int i = 0; i < 3; i++) { GC.Collect(); GC.WaitForPendingFinalizers(); }
Console.WriteLine(Tensor.TotalCount - before);')
echo "TorchSharp 0.107.0: 10 parameters made and disposed; expected 0 left, counted $seen"
[ "$seen" = 10 ] || { echo "changed"; exit 1; }
