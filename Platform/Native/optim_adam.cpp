// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019), in PyTorch's order of operations.
#include "optim_lists.h"

#include <cmath>
#include <map>

using namespace recsys;

// Kept in step with Recsys.Torch.Optim.NativeOptimizer.
struct AdamOptions {
  double lr, beta1, beta2, eps, weight_decay;
  int32_t amsgrad, maximize, decoupled;  // decoupled: AdamW's weight decay
};

namespace {

template <typename T>
struct AdamFactors {
  T beta1, one_minus_beta1, beta2, one_minus_beta2, eps, decay, l2, sign, step_size, root_correction;
};

template <typename T, bool kMax>
RS_INLINE void adam_body(T* __restrict p, const T* __restrict g, T* __restrict m, T* __restrict v, T* __restrict vmax, int64_t n, const AdamFactors<T>& f) {
  const auto k = f;
#pragma GCC ivdep
  for (int64_t i = 0; i < n; i++) {
    T w = p[i] * k.decay;
    T d = g[i] * k.sign + k.l2 * p[i];
    T m1 = m[i] * k.beta1 + d * k.one_minus_beta1;
    T v1 = v[i] * k.beta2 + d * d * k.one_minus_beta2;
    m[i] = m1;
    v[i] = v1;
    if (kMax) {
      v1 = vmax[i] > v1 ? vmax[i] : v1;
      vmax[i] = v1;
    }
    p[i] = w - k.step_size * m1 / (std::sqrt(v1) / k.root_correction + k.eps);
  }
}

RS_VECTOR void adam_f32(float* p, const float* g, float* m, float* v, int64_t n, const AdamFactors<float>& f) { adam_body<float, false>(p, g, m, v, nullptr, n, f); }
RS_VECTOR void adam_f64(double* p, const double* g, double* m, double* v, int64_t n, const AdamFactors<double>& f) { adam_body<double, false>(p, g, m, v, nullptr, n, f); }
void adam(float* p, const float* g, float* m, float* v, float* x, int64_t n, const AdamFactors<float>& f) {
  x ? adam_body<float, true>(p, g, m, v, x, n, f) : adam_f32(p, g, m, v, n, f);
}
void adam(double* p, const double* g, double* m, double* v, double* x, int64_t n, const AdamFactors<double>& f) {
  x ? adam_body<double, true>(p, g, m, v, x, n, f) : adam_f64(p, g, m, v, n, f);
}

double correction(double beta, int64_t step) { return 1 - std::pow(beta, static_cast<double>(step)); }

template <typename T>
void adam_fused(Active& a, const int64_t* steps, const AdamOptions& o) {
  std::vector<AdamFactors<T>> factors;
  for (auto i : a.index) {
    factors.push_back({T(o.beta1), T(1 - o.beta1), T(o.beta2), T(1 - o.beta2), T(o.eps), T(o.decoupled ? 1 - o.lr * o.weight_decay : 1),
                       T(o.decoupled ? 0 : o.weight_decay), T(o.maximize ? -1 : 1), T(o.lr / correction(o.beta1, steps[i])),
                       T(std::sqrt(correction(o.beta2, steps[i])))});
  }
  over(chunks_of(a.params), [&](int64_t, const Chunk& c) {
    auto data = [&](at::Tensor& t) { return t.defined() ? t.data_ptr<T>() + c.begin : nullptr; };
    adam(data(a.params[c.tensor]), data(a.grads[c.tensor]), data(a.state[0][c.tensor]), data(a.state[1][c.tensor]), data(a.state[2][c.tensor]),
         c.count, factors[c.tensor]);
  });
  bump(a.params);
}

void adam_foreach(Active& a, const int64_t* steps, const AdamOptions& o) {
  std::map<int64_t, std::vector<size_t>> by_step;
  for (size_t j = 0; j < a.index.size(); j++) {
    by_step[steps[a.index[j]]].push_back(j);
  }
  for (auto& [step, members] : by_step) {
    std::vector<at::Tensor> p, g, m, v, x;
    for (auto j : members) {
      p.push_back(a.params[j]);
      g.push_back(o.maximize ? a.grads[j].neg() : a.grads[j]);
      m.push_back(a.state[0][j]);
      v.push_back(a.state[1][j]);
      x.push_back(a.state[2][j]);
    }
    if (o.weight_decay != 0) {
      if (o.decoupled) at::_foreach_mul_(p, at::Scalar(1 - o.lr * o.weight_decay));
      else g = at::_foreach_add(g, p, o.weight_decay);
    }
    at::_foreach_mul_(m, at::Scalar(o.beta1));
    at::_foreach_add_(m, g, 1 - o.beta1);
    at::_foreach_mul_(v, at::Scalar(o.beta2));
    at::_foreach_addcmul_(v, g, g, at::Scalar(1 - o.beta2));
    if (o.amsgrad) {
      for (size_t j = 0; j < x.size(); j++) at::maximum_out(x[j], x[j], v[j]);
    }
    auto denominator = at::_foreach_sqrt(o.amsgrad ? x : v);
    at::_foreach_div_(denominator, at::Scalar(std::sqrt(correction(o.beta2, step))));
    at::_foreach_add_(denominator, at::Scalar(o.eps));
    at::_foreach_addcdiv_(p, m, denominator, at::Scalar(-o.lr / correction(o.beta1, step)));
  }
}

}  // namespace

// steps[i] is raised by one for every parameter that has a gradient. max_squares may be null without amsgrad.
RS_EXPORT int32_t rs_optim_adam(void* const* params, void* const* averages, void* const* squares, void* const* max_squares, int64_t* steps,
                                int32_t count, const AdamOptions* options) {
  return guarded([&] {
    required(options, averages, squares, steps);
    if (options->amsgrad) required(max_squares);
    at::NoGradGuard no_grad;
    auto a = collect(params, count, {averages, squares, options->amsgrad ? max_squares : nullptr});
    if (a.params.empty()) return;
    advance(a, steps);
    if (!a.fused) adam_foreach(a, steps, *options);
    else if (a.type == at::kFloat) adam_fused<float>(a, steps, *options);
    else adam_fused<double>(a, steps, *options);
  });
}
