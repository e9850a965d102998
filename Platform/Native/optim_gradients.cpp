// Lists of gradients: removed, clipped by their joint norm; averages of weights.
#include "optim_lists.h"

#include <cmath>

using namespace recsys;

namespace {

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

RS_EXPORT int32_t rs_optim_zero_grad(void* const* params, int32_t count, int32_t set_to_none) {
  return guarded([&] {
    required_list(params, count);
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
    required(total);
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
    required_list(targets, count);
    required_list(sources, count);
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
