using Recsys.Torch.Native;
using static Recsys.Torch.Native.Exports;

namespace Recsys.Torch;

public static partial class torch
{
    public unsafe partial class Tensor
    {
        public bool requires_grad
        {
            get => Describe().RequiresGrad != 0;
            set => requires_grad_(value);
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            var handle = Hold();
            try
            {
                Check.Ok(rs_tensor_set_requires_grad(handle, requires_grad ? 1 : 0), "requires_grad_");
                return this;
            }
            finally
            {
                Release();
            }
        }

        public Tensor with_requires_grad(bool requires_grad = true) => requires_grad_(requires_grad);

        /// <summary>Keeps the gradient of a tensor that is not a leaf.</summary>
        public void retain_grad()
        {
            var handle = Hold();
            try
            {
                Check.Ok(rs_tensor_retain_grad(handle), "retain_grad");
            }
            finally
            {
                Release();
            }
        }

        /// <summary>The gradient that backward accumulated, a new handle at each read; null where there is none.</summary>
        public Tensor? grad
        {
            get
            {
                var handle = Hold();
                try
                {
                    Out result;
                    Check.Ok(rs_tensor_grad(handle, &result), "grad");
                    return OwnOrNull(result);
                }
                finally
                {
                    Release();
                }
            }

            set
            {
                var handle = Hold();
                try
                {
                    var gradient = value?.Hold() ?? 0;
                    try
                    {
                        Check.Ok(rs_tensor_set_grad(handle, gradient), "grad");
                    }
                    finally
                    {
                        value?.Release();
                    }
                }
                finally
                {
                    Release();
                }
            }
        }

        public void backward() => autograd.backward([this]);

        public void backward(IList<Tensor>? grad_tensors = null, bool retain_graph = false, bool create_graph = false, IList<Tensor>? inputs = null) =>
            autograd.backward([this], grad_tensors, retain_graph || create_graph, create_graph, inputs);
    }

    public static unsafe class autograd
    {
        /// <summary>Accumulates the gradients of the outputs in the leaves, or in <paramref name="inputs"/> alone where given.</summary>
        public static void backward(
            IList<Tensor> tensors, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null)
        {
            using var outs = new HeldTensors(tensors);
            using var grads = new HeldTensors(grad_tensors);
            using var ins = new HeldTensors(inputs);
            fixed (nint* o = outs.Handles)
            fixed (nint* g = grads.Handles)
            fixed (nint* i = ins.Handles)
            {
                Check.Ok(rs_backward(o, outs.Count, g, grads.Count, i, ins.Count, retain_graph is { } r ? (r ? 1 : 0) : -1, create_graph ? 1 : 0), "backward");
            }
        }

        /// <summary>The gradients of the outputs' sum with respect to the inputs; null for one that was not used, where allowed.</summary>
        public static IList<Tensor> grad(
            IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor>? grad_outputs = null, bool retain_graph = false, bool create_graph = false, bool allow_unused = false)
        {
            using var outs = new HeldTensors(outputs);
            using var grads = new HeldTensors(grad_outputs);
            using var ins = new HeldTensors(inputs);
            var results = new Out[ins.Count];
            fixed (nint* o = outs.Handles)
            fixed (nint* g = grads.Handles)
            fixed (nint* i = ins.Handles)
            fixed (Out* r = results)
            {
                Check.Ok(rs_grad(o, outs.Count, i, ins.Count, g, grads.Count, retain_graph || create_graph ? 1 : 0, create_graph ? 1 : 0, allow_unused ? 1 : 0, r), "grad");
            }

            return Array.ConvertAll(results, r => Tensor.OwnOrNull(r)!);
        }
    }
}
