// The seam between a transformer's sublayers on the CPU: residual + dropout(branch), then its layer norm, in one pass over memory
// and one back. The dropout mask is a hash of (seed, row, column), drawn again in backward instead of kept.
#include "abi.h"
#include "vector.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <cmath>
#include <tuple>
#include <vector>

namespace recsys {
namespace {

constexpr int64_t kRowBlock = 64;  // rows that share a partial sum of the gains' gradient, whatever the number of threads

struct Mask {
  uint64_t seed;
  int64_t skip;  // rows of a larger tensor that come before these
  uint32_t threshold;
  float scale;  // of what is kept
};

// out[i] = scale or 0.
RS_VECTOR void mask_row(float* out, int64_t n, uint32_t k0, uint32_t k1, uint32_t threshold, float scale) {
  for (int64_t i = 0; i < n; i++) out[i] = draw(static_cast<uint32_t>(i), k0, k1) >= threshold ? scale : 0.0f;
}

void mask_row(const Mask& m, int64_t row, float* out, int64_t n) {
  if (m.threshold == 0) {
    std::fill(out, out + n, 1.0f);
    return;
  }
  uint64_t key = block_key(m.seed, static_cast<uint64_t>(m.skip + row));
  mask_row(out, n, static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32), m.threshold, m.scale);
}

struct Moments {
  float mean, rstd;
};

template <typename T>
RS_INLINE Moments forward_row(const float* x, const T* branch, const float* mask, const float* gain, const float* shift, float* total, T* normed, int64_t n, float eps) {
  float sum = 0;
  for (int64_t i = 0; i < n; i++) {
    total[i] = x[i] + widen(branch[i]) * mask[i];
    sum += total[i];
  }
  float mean = sum / static_cast<float>(n);
  float square = 0;
  for (int64_t i = 0; i < n; i++) square += (total[i] - mean) * (total[i] - mean);
  float rstd = 1 / std::sqrt(square / static_cast<float>(n) + eps);
  for (int64_t i = 0; i < n; i++) narrow((total[i] - mean) * rstd * gain[i] + shift[i], normed[i]);
  return {mean, rstd};
}

// dx = ∂total + the norm's share; dbranch = dx · mask. The gains' gradients are added up.
template <typename T>
RS_INLINE void backward_row(const float* total, const float* dtotal, const T* dnormed, const float* mask, const float* gain, Moments m, float* dx, T* dbranch, float* dgain, float* dshift,
                            int64_t n) {
  float sum = 0, product = 0;
  for (int64_t i = 0; i < n; i++) {
    float unit = (total[i] - m.mean) * m.rstd, g = widen(dnormed[i]);
    dgain[i] += g * unit;
    dshift[i] += g;
    sum += g * gain[i];
    product += g * gain[i] * unit;
  }
  sum /= static_cast<float>(n);
  product /= static_cast<float>(n);
  for (int64_t i = 0; i < n; i++) {
    float unit = (total[i] - m.mean) * m.rstd;
    dx[i] = dtotal[i] + (widen(dnormed[i]) * gain[i] - sum - unit * product) * m.rstd;
    narrow(dx[i] * mask[i], dbranch[i]);
  }
}

RS_VECTOR Moments forward_line(const float* x, const float* branch, const float* mask, const float* gain, const float* shift, float* total, float* normed, int64_t n, float eps) {
  return forward_row(x, branch, mask, gain, shift, total, normed, n, eps);
}
RS_VECTOR Moments forward_line(const float* x, const at::BFloat16* branch, const float* mask, const float* gain, const float* shift, float* total, at::BFloat16* normed, int64_t n, float eps) {
  return forward_row(x, branch, mask, gain, shift, total, normed, n, eps);
}
RS_VECTOR void backward_line(const float* total, const float* dtotal, const float* dnormed, const float* mask, const float* gain, Moments m, float* dx, float* dbranch, float* dgain,
                             float* dshift, int64_t n) {
  backward_row(total, dtotal, dnormed, mask, gain, m, dx, dbranch, dgain, dshift, n);
}
RS_VECTOR void backward_line(const float* total, const float* dtotal, const at::BFloat16* dnormed, const float* mask, const float* gain, Moments m, float* dx, at::BFloat16* dbranch,
                             float* dgain, float* dshift, int64_t n) {
  backward_row(total, dtotal, dnormed, mask, gain, m, dx, dbranch, dgain, dshift, n);
}

template <typename Body>
void typed(const at::Tensor& x, Body&& body) {
  if (x.scalar_type() == at::kBFloat16) {
    body(at::BFloat16{});
  } else {
    body(float{});
  }
}

int64_t blocks_of(int64_t rows) { return (rows + kRowBlock - 1) / kRowBlock; }

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct AddDropoutNorm : torch::autograd::Function<AddDropoutNorm> {
  static variable_list forward(AutogradContext* context, const at::Tensor& residual, const at::Tensor& added, const at::Tensor& gain, const at::Tensor& shift, double p, int64_t seed,
                               double eps, int64_t skip) {
    at::AutoDispatchBelowADInplaceOrView below;
    auto x = residual.contiguous(), branch = added.contiguous();
    int64_t n = x.size(-1), rows = n == 0 ? 0 : x.numel() / n;
    auto total = at::empty(x.sizes(), x.options());
    auto normed = at::empty(branch.sizes(), branch.options());
    auto moments = at::empty({rows, 2}, x.options());
    Mask mask{static_cast<uint64_t>(seed), skip, drop_threshold(p), static_cast<float>(1 / (1 - p))};
    typed(branch, [&](auto kind) {
      using T = decltype(kind);
      auto *a = x.data_ptr<float>(), *t = total.data_ptr<float>(), *g = gain.data_ptr<float>(), *s = shift.data_ptr<float>(), *m = moments.data_ptr<float>();
      auto *b = branch.data_ptr<T>(), *o = normed.data_ptr<T>();
      at::parallel_for(0, rows, kRowBlock, [&](int64_t first, int64_t last) {
        std::vector<float> keep(static_cast<size_t>(n));
        for (int64_t r = first; r < last; r++) {
          mask_row(mask, r, keep.data(), n);
          auto found = forward_line(a + r * n, b + r * n, keep.data(), g, s, t + r * n, o + r * n, n, static_cast<float>(eps));
          m[2 * r] = found.mean;
          m[2 * r + 1] = found.rstd;
        }
      });
    });
    context->save_for_backward({total, gain, moments});
    context->saved_data["p"] = p;
    context->saved_data["seed"] = seed;
    context->saved_data["skip"] = skip;
    context->saved_data["narrow"] = branch.scalar_type() == at::kBFloat16;
    return {total, normed};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "add_dropout_norm has a first derivative only");
    auto saved = context->get_saved_variables();
    auto &total = saved[0], &gain = saved[1], &moments = saved[2];
    int64_t n = total.size(-1), rows = n == 0 ? 0 : total.numel() / n;
    double p = context->saved_data["p"].toDouble();
    auto kind_of = total.options().dtype(context->saved_data["narrow"].toBool() ? at::kBFloat16 : at::kFloat);
    auto dtotal = gradients[0].defined() ? gradients[0].contiguous() : at::zeros(total.sizes(), total.options());
    auto dnormed = gradients[1].defined() ? gradients[1].contiguous() : at::zeros(total.sizes(), kind_of);
    auto dx = at::empty(total.sizes(), total.options());
    auto dbranch = at::empty(total.sizes(), kind_of);
    auto partial = at::zeros({blocks_of(rows), 2, n}, total.options());
    Mask mask{static_cast<uint64_t>(context->saved_data["seed"].toInt()), context->saved_data["skip"].toInt(), drop_threshold(p), static_cast<float>(1 / (1 - p))};
    typed(dbranch, [&](auto kind) {
      using T = decltype(kind);
      auto *t = total.data_ptr<float>(), *dt = dtotal.data_ptr<float>(), *g = gain.data_ptr<float>(), *m = moments.data_ptr<float>(), *out = dx.data_ptr<float>(), *sums = partial.data_ptr<float>();
      auto *dn = dnormed.data_ptr<T>(), *db = dbranch.data_ptr<T>();
      at::parallel_for(0, blocks_of(rows), 1, [&](int64_t first, int64_t last) {
        std::vector<float> keep(static_cast<size_t>(n));
        for (int64_t block = first; block < last; block++) {
          for (int64_t r = block * kRowBlock; r < std::min(rows, (block + 1) * kRowBlock); r++) {
            mask_row(mask, r, keep.data(), n);
            backward_line(t + r * n, dt + r * n, dn + r * n, keep.data(), g, {m[2 * r], m[2 * r + 1]}, out + r * n, db + r * n, sums + block * 2 * n, sums + (block * 2 + 1) * n, n);
          }
        }
      });
    });
    auto dgains = partial.sum(0);  // [2, n]
    return {dx, dbranch, dgains.select(0, 0), dgains.select(0, 1), at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

std::tuple<at::Tensor, at::Tensor> add_dropout_norm(const at::Tensor& x, const at::Tensor& branch, const at::Tensor& gain, const at::Tensor& shift, double p, int64_t seed, double eps, int64_t skip) {
  TORCH_CHECK(x.device().is_cpu() && x.scalar_type() == at::kFloat && x.dim() >= 1, "the residual must be float32 on the CPU");
  TORCH_CHECK(branch.device().is_cpu() && branch.sizes() == x.sizes() && (branch.scalar_type() == at::kFloat || branch.scalar_type() == at::kBFloat16),
              "the branch must be float32 or bfloat16 of the residual's shape ", x.sizes(), ", it is ", branch.sizes());
  for (auto* t : {&gain, &shift}) {
    TORCH_CHECK(t->device().is_cpu() && t->scalar_type() == at::kFloat && t->dim() == 1 && t->size(0) == x.size(-1) && t->is_contiguous(),
                "gain and shift must be dense float32 of the width ", x.size(-1));
  }
  TORCH_CHECK(p >= 0 && p < 1, "the dropout probability is ", p, ", allowed is 0 <= p < 1");
  TORCH_CHECK(skip >= 0, "the place of the first row is ", skip, ", allowed is 0 and more");
  auto results = AddDropoutNorm::apply(x, branch, gain, shift, p, seed, eps, skip);
  return {results[0], results[1]};
}

}  // namespace
}  // namespace recsys

TORCH_LIBRARY_FRAGMENT(recsys, library) {
  library.def("add_dropout_norm(Tensor residual, Tensor branch, Tensor gain, Tensor shift, float p, int seed, float eps, int skip=0) -> (Tensor, Tensor)", recsys::add_dropout_norm);
}
