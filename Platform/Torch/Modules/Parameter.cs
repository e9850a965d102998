using Recsys.Torch.Modules;
using static Recsys.Torch.torch;

namespace Recsys.Torch
{
    public static partial class torch
    {
        public static partial class nn
        {
            /// <summary>Makes a trained tensor out of <paramref name="data"/>, which is used up.</summary>
            public static Parameter Parameter(Tensor data, bool requires_grad = true) => new(data, requires_grad);
        }
    }
}

namespace Recsys.Torch.Modules
{
    /// <summary>A tensor that a module trains: always a leaf of the autograd graph.</summary>
    public class Parameter : Tensor
    {
        /// <param name="data">Its values; the object is disposed, its memory is taken over.</param>
        /// <param name="requires_grad">False freezes it.</param>
        public Parameter(Tensor data, bool requires_grad = true)
            : base(TakeLeaf(data, requires_grad))
        {
        }

        private static nint TakeLeaf(Tensor data, bool requires_grad)
        {
            ArgumentNullException.ThrowIfNull(data);
            Tensor leaf = data.is_leaf ? data : Dispatcher.Call("detach", data);
            leaf.requires_grad = requires_grad;
            nint handle = leaf.DecoupleFromNativeHandle();
            data.Dispose();
            return handle;
        }
    }
}
