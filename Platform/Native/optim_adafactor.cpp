// Adafactor (Shazeer and Stern 2018, Algorithms 4 and 5): the second moment of a matrix as the outer product of its row and column
// means, so that the state of an n × m weight is n + m numbers.
#include "optim_lists.h"

#include <cmath>

using namespace recsys;

// Kept in step with Recsys.Torch.Optim.NativeOptimizer.
struct AdafactorOptions {
  double lr, beta2_decay, eps1, eps2, d, weight_decay;
};

namespace {

at::Tensor root_mean_square(const at::Tensor& x) { return x.square().mean().sqrt(); }

// rows, columns: the factors of a tensor of two or more dimensions; whole: the second moment of any other.
void adafactor(at::Tensor p, const at::Tensor& gradient, at::Tensor rows, at::Tensor columns, at::Tensor whole, int64_t step, const AdafactorOptions& o) {
  if (p.numel() == 0) return;
  bool factored = p.dim() >= 2;
  auto type = (factored ? rows : whole).scalar_type();
  auto g = gradient.to(type);
  auto squares = g.square().add_(o.eps1);
  double fresh = std::pow(static_cast<double>(step), o.beta2_decay);  // 1 - β̂₂ₜ
  at::Tensor update;
  if (factored) {
    rows.lerp_(squares.mean(-1), fresh);
    columns.lerp_(squares.mean(-2), fresh);
    auto row_factor = rows.div(rows.mean(-1, true)).rsqrt_().unsqueeze(-1);  // V = R C / mean(R)
    update = g.mul(row_factor).mul_(columns.rsqrt().unsqueeze(-2));
  } else {
    whole.lerp_(squares, fresh);
    update = g.mul(whole.rsqrt());
  }
  update.div_(root_mean_square(update).div_(o.d).clamp_min_(1));
  double rate = std::min(o.lr, 1 / std::sqrt(static_cast<double>(step)));
  auto size = root_mean_square(p.to(type)).clamp_min_(o.eps2).mul_(rate);
  if (o.weight_decay != 0) p.mul_(1 - o.lr * o.weight_decay);
  p.sub_(update.mul_(size));
}

}  // namespace

// The state has shapes of its own: rows[i] is the parameter's shape without its last dimension, columns[i] without its last but one,
// whole[i] the whole shape; those that a parameter does not use have no elements.
RS_EXPORT int32_t rs_optim_adafactor(void* const* params, void* const* rows, void* const* columns, void* const* whole, int64_t* steps, int32_t count,
                                     const AdafactorOptions* options) {
  return guarded([&] {
    required(options, rows, columns, whole, steps);
    at::NoGradGuard no_grad;
    auto a = collect(params, count, {});
    advance(a, steps);
    for (size_t j = 0; j < a.params.size(); j++) {
      auto i = a.index[j];
      adafactor(a.params[j], a.grads[j], share(rows[i]), share(columns[i]), share(whole[i]), steps[i], *options);
    }
  });
}
