#!/usr/bin/env bash
# TorchSharp 0.107.0: tensor.sum(0) on a [2, 3] tensor. In PyTorch that is the sum along the first dimension, [3]; here the literal 0
# converts to ScalarType.Byte, and the result is the sum of all elements as one byte.
source "$(dirname "$0")/torchsharp.bash"
seen=$(run_torchsharp '
using var sum = (ones(2, 3) * 100).sum(0);
Console.WriteLine($"{sum.dtype} [{string.Join(",", sum.shape)}] {sum.ToInt32()}");')
echo "TorchSharp 0.107.0: (ones(2, 3) * 100).sum(0): expected Float32 [3], seen $seen"
[ "$seen" = "Byte [] 88" ] || { echo "changed"; exit 1; }
