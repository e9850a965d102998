// Adagrad (Duchi et al. 2011).
#include "optim_lists.h"

#include <cmath>

using namespace recsys;

// Kept in step with Recsys.Torch.Optim.NativeOptimizer.
struct AdagradOptions {
  double lr, lr_decay, weight_decay, eps;
};

namespace {

template <typename T>
RS_INLINE void adagrad_body(T* __restrict p, const T* __restrict g, T* __restrict s, int64_t n, T rate, T l2, T eps) {
  for (int64_t i = 0; i < n; i++) {
    T d = g[i] + l2 * p[i];
    T s1 = s[i] + d * d;
    s[i] = s1;
    p[i] -= rate * d / (std::sqrt(s1) + eps);
  }
}

RS_VECTOR void adagrad(float* p, const float* g, float* s, int64_t n, float rate, float l2, float eps) { adagrad_body(p, g, s, n, rate, l2, eps); }
RS_VECTOR void adagrad(double* p, const double* g, double* s, int64_t n, double rate, double l2, double eps) { adagrad_body(p, g, s, n, rate, l2, eps); }

double adagrad_rate(const AdagradOptions& o, int64_t step) { return o.lr / (1 + static_cast<double>(step - 1) * o.lr_decay); }

template <typename T>
void adagrad_fused(Active& a, const int64_t* steps, const AdagradOptions& o) {
  over(chunks_of(a.params), [&](int64_t, const Chunk& c) {
    adagrad(a.params[c.tensor].data_ptr<T>() + c.begin, a.grads[c.tensor].data_ptr<T>() + c.begin, a.state[0][c.tensor].data_ptr<T>() + c.begin,
            c.count, T(adagrad_rate(o, steps[a.index[c.tensor]])), T(o.weight_decay), T(o.eps));
  });
  bump(a.params);
}

}  // namespace

RS_EXPORT int32_t rs_optim_adagrad(void* const* params, void* const* sums, int64_t* steps, int32_t count, const AdagradOptions* options) {
  return guarded([&] {
    required(options, sums, steps);
    at::NoGradGuard no_grad;
    auto a = collect(params, count, {sums});
    if (a.params.empty()) return;
    advance(a, steps);
    if (a.fused && a.type == at::kFloat) return adagrad_fused<float>(a, steps, *options);
    if (a.fused) return adagrad_fused<double>(a, steps, *options);
    for (size_t j = 0; j < a.params.size(); j++) {
      auto g = options->weight_decay == 0 ? a.grads[j] : a.grads[j].add(a.params[j], options->weight_decay);
      a.state[0][j].addcmul_(g, g, 1);
      a.params[j].addcdiv_(g, a.state[0][j].sqrt().add_(options->eps), -adagrad_rate(*options, steps[a.index[j]]));
    }
  });
}
