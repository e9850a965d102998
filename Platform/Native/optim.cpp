// Optimiser steps over whole parameter lists. Dense float or double tensors on the CPU take one fused parallel pass that reads
// gradient and state once; everything else (CUDA, bfloat16, odd strides) takes libtorch's _foreach_ operators.
// Every function reads the gradients from the parameters; a parameter without one is left alone, as in PyTorch.
#include "abi.h"
#include "vector.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <map>
#include <stdexcept>
#include <vector>

using namespace recsys;

// Kept in step with Recsys.Torch.Optim.NativeOptimizer.
struct AdamOptions {
  double lr, beta1, beta2, eps, weight_decay;
  int32_t amsgrad, maximize, decoupled;  // decoupled: AdamW's weight decay
};
struct SgdOptions {
  double lr, momentum, dampening, weight_decay;
  int32_t nesterov, maximize;
};
struct AdagradOptions {
  double lr, lr_decay, weight_decay, eps;
};

namespace {

constexpr int64_t kChunk = 1 << 14;  // elements: 64 KB of floats

struct Chunk {
  size_t tensor;
  int64_t begin, count;
};

std::vector<Chunk> chunks_of(const std::vector<at::Tensor>& tensors) {
  std::vector<Chunk> chunks;
  for (size_t t = 0; t < tensors.size(); t++) {
    for (int64_t at = 0; at < tensors[t].numel(); at += kChunk) {
      chunks.push_back({t, at, std::min(kChunk, tensors[t].numel() - at)});
    }
  }
  return chunks;
}

template <typename Body>
void over(const std::vector<Chunk>& chunks, Body&& body) {
  at::parallel_for(0, static_cast<int64_t>(chunks.size()), 1, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i++) {
      body(i, chunks[static_cast<size_t>(i)]);
    }
  });
}

bool plain(const at::Tensor& t, at::ScalarType type) {
  return t.layout() == at::kStrided && t.device().is_cpu() && t.scalar_type() == type && t.is_contiguous();
}

// Parameters that have a gradient, with the matching entries of up to three state lists.
struct Active {
  std::vector<at::Tensor> params, grads;
  std::vector<at::Tensor> state[3];
  std::vector<size_t> index;
  at::ScalarType type = at::kFloat;
  bool fused = true;
};

Active collect(void* const* params, int32_t count, std::initializer_list<void* const*> states) {
  Active a;
  for (int32_t i = 0; i < count; i++) {
    auto p = share(params[i]);
    auto g = p.grad();
    if (!g.defined()) {
      continue;
    }
    if (g.layout() != at::kStrided) {
      throw std::invalid_argument("parameter " + std::to_string(i) + " has a sparse gradient; make its embedding with sparse: false");
    }
    if (a.params.empty()) {
      a.type = p.scalar_type();
    }
    bool dense = (a.type == at::kFloat || a.type == at::kDouble) && plain(p, a.type);
    if (dense && !plain(g, a.type) && g.device().is_cpu() && g.scalar_type() == a.type) {
      g = g.contiguous();
    }
    a.fused = a.fused && dense && plain(g, a.type);
    size_t s = 0;
    for (auto* list : states) {
      auto t = list ? share(list[i]) : at::Tensor();
      if (t.defined()) {
        if (t.sizes() != p.sizes()) {
          throw std::invalid_argument("the state of parameter " + std::to_string(i) + " has another shape");
        }
        a.fused = a.fused && plain(t, a.type);
      }
      a.state[s++].push_back(std::move(t));
    }
    a.params.push_back(std::move(p));
    a.grads.push_back(std::move(g));
    a.index.push_back(static_cast<size_t>(i));
  }
  return a;
}

void bump(std::vector<at::Tensor>& tensors) {
  for (auto& t : tensors) {
    if (t.defined() && !t.is_inference()) {
      t.unsafeGetTensorImpl()->bump_version();
    }
  }
}

// ---- Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019), in PyTorch's order of operations ----

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

// ---- SGD with PyTorch's momentum (Sutskever et al. 2013) and Adagrad (Duchi et al. 2011) ----

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

void advance(const Active& a, int64_t* steps) {
  for (auto i : a.index) steps[i]++;
}

// ---- lists of gradients, averages ----

template <typename T>
double sum_of_squares(const T* x, int64_t n) {
  double lanes[8] = {};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int l = 0; l < 8; l++) lanes[l] += static_cast<double>(x[i + l]) * static_cast<double>(x[i + l]);
  }
  for (; i < n; i++) lanes[0] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  double sum = 0;
  for (double l : lanes) sum += l;
  return sum;
}
RS_VECTOR double squares(const float* x, int64_t n) { return sum_of_squares(x, n); }

RS_VECTOR void scale(float* x, int64_t n, float factor) {
  for (int64_t i = 0; i < n; i++) x[i] *= factor;
}

RS_VECTOR void lerp(float* __restrict to, const float* __restrict from, int64_t n, float weight) {
  for (int64_t i = 0; i < n; i++) to[i] += weight * (from[i] - to[i]);
}

}  // namespace

// steps[i] is raised by one for every parameter that has a gradient. max_squares may be null without amsgrad.
RS_EXPORT int32_t rs_optim_adam(void* const* params, void* const* averages, void* const* squares, void* const* max_squares, int64_t* steps,
                                int32_t count, const AdamOptions* options) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    auto a = collect(params, count, {averages, squares, options->amsgrad ? max_squares : nullptr});
    if (a.params.empty()) return;
    advance(a, steps);
    if (!a.fused) adam_foreach(a, steps, *options);
    else if (a.type == at::kFloat) adam_fused<float>(a, steps, *options);
    else adam_fused<double>(a, steps, *options);
  });
}

// buffers may be null without momentum.
RS_EXPORT int32_t rs_optim_sgd(void* const* params, void* const* buffers, int64_t* steps, int32_t count, const SgdOptions* options) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    auto a = collect(params, count, {buffers});
    if (a.params.empty()) return;
    advance(a, steps);
    if (!a.fused) sgd_foreach(a, steps, *options);
    else if (a.type == at::kFloat) sgd_fused<float>(a, steps, *options);
    else sgd_fused<double>(a, steps, *options);
  });
}

RS_EXPORT int32_t rs_optim_adagrad(void* const* params, void* const* sums, int64_t* steps, int32_t count, const AdagradOptions* options) {
  return guarded([&] {
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

RS_EXPORT int32_t rs_optim_zero_grad(void* const* params, int32_t count, int32_t set_to_none) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    for (int32_t i = 0; i < count; i++) {
      auto p = share(params[i]);
      auto& g = p.mutable_grad();
      if (!g.defined()) continue;
      if (set_to_none) g.reset();
      else if (g.grad_fn()) g = g.detach().zero_();
      else g.zero_();
    }
  });
}

// Scales all gradients so that their joint norm is at most max_norm; total is the norm before. norm_type may be infinite.
RS_EXPORT int32_t rs_optim_clip_grad_norm(void* const* params, int32_t count, double max_norm, double norm_type, double* total) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    auto a = collect(params, count, {});
    *total = 0;
    if (a.params.empty()) return;
    for (size_t j = 0; j < a.grads.size(); j++) {  // scaled in place, so never a contiguous copy
      a.grads[j] = a.params[j].grad();
      a.fused = a.fused && plain(a.grads[j], at::kFloat);
    }
    auto chunks = a.fused ? chunks_of(a.grads) : std::vector<Chunk>();
    if (a.fused && norm_type == 2) {
      std::vector<double> partial(chunks.size());
      over(chunks, [&](int64_t i, const Chunk& c) { partial[static_cast<size_t>(i)] = squares(a.grads[c.tensor].data_ptr<float>() + c.begin, c.count); });
      double sum = 0;
      for (double p : partial) sum += p;
      *total = std::sqrt(sum);
    } else {
      std::vector<at::Tensor> norms;
      for (auto& g : a.grads) norms.push_back(at::norm(g, norm_type).to(at::kCPU, at::kDouble));
      *total = at::norm(at::stack(norms), norm_type).item<double>();
    }
    double factor = max_norm / (*total + 1e-6);
    if (factor >= 1) return;
    if (a.fused) over(chunks, [&](int64_t, const Chunk& c) { scale(a.grads[c.tensor].data_ptr<float>() + c.begin, c.count, static_cast<float>(factor)); });
    else at::_foreach_mul_(a.grads, at::Scalar(factor));
  });
}

// targets += weight * (sources - targets), list by list.
RS_EXPORT int32_t rs_optim_lerp(void* const* targets, void* const* sources, int32_t count, double weight) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> to, from;
    bool fused = true;
    for (int32_t i = 0; i < count; i++) {
      to.push_back(share(targets[i]));
      from.push_back(share(sources[i]));
      if (to.back().sizes() != from.back().sizes()) throw std::invalid_argument("tensor " + std::to_string(i) + " of the average has another shape than its source");
      fused = fused && plain(to.back(), at::kFloat) && plain(from.back(), at::kFloat);
    }
    if (!fused) {
      for (size_t i = 0; i < to.size(); i++) to[i].lerp_(from[i].to(to[i].options()), weight);
      return;
    }
    over(chunks_of(to), [&](int64_t, const Chunk& c) {
      lerp(to[c.tensor].data_ptr<float>() + c.begin, from[c.tensor].data_ptr<float>() + c.begin, c.count, static_cast<float>(weight));
    });
    bump(to);
  });
}
