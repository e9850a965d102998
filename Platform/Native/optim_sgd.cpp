// SGD with PyTorch's momentum (Sutskever et al. 2013).
#include "optim_lists.h"

#include <cmath>

using namespace recsys;

// Kept in step with Recsys.Torch.Optim.NativeOptimizer.
struct SgdOptions {
  double lr, momentum, dampening, weight_decay;
  int32_t nesterov, maximize;
};

namespace {

template <typename T>
RS_INLINE void sgd_body(T* __restrict p, const T* __restrict g, T* __restrict b, int64_t n, bool first, const SgdOptions& o) {
  const T lr(o.lr), momentum(o.momentum), gain(1 - o.dampening), l2(o.weight_decay), sign(o.maximize ? -1 : 1);
  const T along = o.nesterov ? T(1) : T(0), buffer = o.nesterov ? momentum : T(1);
  if (b == nullptr) {
    for (int64_t i = 0; i < n; i++) p[i] -= lr * (g[i] * sign + l2 * p[i]);
    return;
  }
  const T kept = first ? T(0) : momentum, taken = first ? T(1) : gain;
  for (int64_t i = 0; i < n; i++) {
    T d = g[i] * sign + l2 * p[i];
    T b1 = kept * b[i] + taken * d;
    b[i] = b1;
    p[i] -= lr * (along * d + buffer * b1);
  }
}

RS_VECTOR void sgd(float* p, const float* g, float* b, int64_t n, bool first, const SgdOptions& o) { sgd_body<float>(p, g, b, n, first, o); }
RS_VECTOR void sgd(double* p, const double* g, double* b, int64_t n, bool first, const SgdOptions& o) { sgd_body<double>(p, g, b, n, first, o); }

template <typename T>
void sgd_fused(Active& a, const int64_t* steps, const SgdOptions& o) {
  over(chunks_of(a.params), [&](int64_t, const Chunk& c) {
    auto& buffer = a.state[0][c.tensor];
    sgd(a.params[c.tensor].data_ptr<T>() + c.begin, a.grads[c.tensor].data_ptr<T>() + c.begin, buffer.defined() ? buffer.data_ptr<T>() + c.begin : nullptr,
        c.count, steps[a.index[c.tensor]] == 1, o);
  });
  bump(a.params);
}

void sgd_foreach(Active& a, const int64_t* steps, const SgdOptions& o) {
  for (size_t j = 0; j < a.params.size(); j++) {
    auto g = o.maximize ? a.grads[j].neg() : a.grads[j];
    if (o.weight_decay != 0) g = g.add(a.params[j], o.weight_decay);
    if (a.state[0][j].defined()) {
      auto& b = a.state[0][j];
      if (steps[a.index[j]] == 1) b.copy_(g);
      else b.mul_(o.momentum).add_(g, 1 - o.dampening);
      g = o.nesterov ? g.add(b, o.momentum) : b;
    }
    a.grads[j] = g;
  }
  at::_foreach_add_(a.params, a.grads, -o.lr);
}

}  // namespace

// buffers may be null without momentum.
RS_EXPORT int32_t rs_optim_sgd(void* const* params, void* const* buffers, int64_t* steps, int32_t count, const SgdOptions* options) {
  return guarded([&] {
    required(options, steps);
    at::NoGradGuard no_grad;
    auto a = collect(params, count, {buffers});
    if (a.params.empty()) return;
    advance(a, steps);
    if (!a.fused) sgd_foreach(a, steps, *options);
    else if (a.type == at::kFloat) sgd_fused<float>(a, steps, *options);
    else sgd_fused<double>(a, steps, *options);
  });
}
