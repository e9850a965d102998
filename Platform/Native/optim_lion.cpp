// Lion (Chen et al. 2023, Algorithm 2): the sign of an interpolated momentum, with decoupled weight decay.
#include "optim_lists.h"

#include <cmath>

using namespace recsys;

// Kept in step with Recsys.Torch.Optim.NativeOptimizer.
struct LionOptions {
  double lr, beta1, beta2, weight_decay;
};

namespace {

template <typename T>
struct LionFactors {
  T lr, beta1, one_minus_beta1, beta2, one_minus_beta2, decay;
};

template <typename T>
RS_INLINE void lion_body(T* __restrict p, const T* __restrict g, T* __restrict m, int64_t n, const LionFactors<T>& f) {
  const auto k = f;
  for (int64_t i = 0; i < n; i++) {
    T c = m[i] * k.beta1 + g[i] * k.one_minus_beta1;
    T sign = static_cast<T>(c > 0) - static_cast<T>(c < 0);
    sign = c == c ? sign : c;  // a NaN stays one, as at::sign keeps it: it must not look like convergence
    m[i] = m[i] * k.beta2 + g[i] * k.one_minus_beta2;
    p[i] = p[i] * k.decay - k.lr * sign;
  }
}

RS_VECTOR void lion(float* p, const float* g, float* m, int64_t n, const LionFactors<float>& f) { lion_body(p, g, m, n, f); }
RS_VECTOR void lion(double* p, const double* g, double* m, int64_t n, const LionFactors<double>& f) { lion_body(p, g, m, n, f); }

template <typename T>
void lion_fused(Active& a, const LionOptions& o) {
  const LionFactors<T> f{T(o.lr), T(o.beta1), T(1 - o.beta1), T(o.beta2), T(1 - o.beta2), T(1 - o.lr * o.weight_decay)};
  over(chunks_of(a.params), [&](int64_t, const Chunk& c) {
    lion(a.params[c.tensor].data_ptr<T>() + c.begin, a.grads[c.tensor].data_ptr<T>() + c.begin, a.state[0][c.tensor].data_ptr<T>() + c.begin, c.count, f);
  });
  bump(a.params);
}

void lion_foreach(Active& a, const LionOptions& o) {
  auto& m = a.state[0];
  auto along = at::_foreach_mul(m, at::Scalar(o.beta1));
  at::_foreach_add_(along, a.grads, 1 - o.beta1);
  for (auto& c : along) c.sign_();
  at::_foreach_mul_(m, at::Scalar(o.beta2));
  at::_foreach_add_(m, a.grads, 1 - o.beta2);
  at::_foreach_mul_(a.params, at::Scalar(1 - o.lr * o.weight_decay));
  at::_foreach_add_(a.params, along, -o.lr);
}

}  // namespace

RS_EXPORT int32_t rs_optim_lion(void* const* params, void* const* momenta, int64_t* steps, int32_t count, const LionOptions* options) {
  return guarded([&] {
    required(options, momenta, steps);
    at::NoGradGuard no_grad;
    auto a = collect(params, count, {momenta});
    if (a.params.empty()) return;
    advance(a, steps);
    if (!a.fused) lion_foreach(a, *options);
    else if (a.type == at::kFloat) lion_fused<float>(a, *options);
    else lion_fused<double>(a, *options);
  });
}
