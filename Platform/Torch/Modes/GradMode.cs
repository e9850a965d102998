using Recsys.Torch.Native;
using static Recsys.Torch.Native.Exports;

namespace Recsys.Torch;

public static unsafe partial class torch
{
    /// <summary>No graph is recorded on this thread until it is disposed.</summary>
    public static AutoGradMode no_grad() => new(false);

    public static AutoGradMode enable_grad(bool enabled = true) => new(enabled);

    public static AutoGradMode set_grad_enabled(bool mode = true) => new(mode);

    public static bool is_grad_enabled() => rs_grad_enabled() != 0;

    /// <summary>Like no_grad, and tensors made in it can never take part in a graph: the fastest mode for serving.</summary>
    public static InferenceMode inference_mode(bool mode = true) => new(mode);

    public static bool is_inference_mode_enabled() => rs_inference_enabled() != 0;

    public sealed class AutoGradMode : IDisposable
    {
        private readonly bool _before = is_grad_enabled();
        private bool _left;

        public AutoGradMode(bool enabled)
        {
            rs_set_grad_enabled(enabled ? 1 : 0);
        }

        public void Dispose()
        {
            if (!_left)
            {
                _left = true;
                rs_set_grad_enabled(_before ? 1 : 0);
            }
        }
    }

    public sealed class InferenceMode : IDisposable
    {
        private readonly int _thread = Environment.CurrentManagedThreadId;
        private void* _guard;

        public InferenceMode(bool mode = true)
        {
            void* guard;
            Check.Ok(rs_inference_enter(mode ? 1 : 0, &guard), "inference_mode");
            _guard = guard;
        }

        public void Dispose()
        {
            if (_guard == null)
            {
                return;
            }

            if (Environment.CurrentManagedThreadId != _thread)
            {
                throw new InvalidOperationException("inference_mode is a state of one thread: leave it on the thread that entered it, with no await between.");
            }

            rs_inference_leave(_guard);
            _guard = null;
        }
    }
}
