// x Wᵀ + b in float32 on a libtorch without MKL. OpenBLAS reaches three quarters of what the machine can on a model's narrow products;
// oneDNN, which such a libtorch has for its convolutions, all but reaches it, and a product is a convolution of width one.
// The gradient of the weight stays with BLAS: it sums over all rows, and oneDNN would let each thread add up a share of its own, so
// that its last bits followed the number of threads by design (BLAS's do by accident: docs/platform.md, Determinism).
#include "abi.h"

#include <ATen/Context.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace recsys {
namespace {

constexpr int64_t kFewest = 16, kRows = 256;  // columns and rows below which the detour does not pay

// [rows, in] → [1, in, rows, 1] with the channels last: the same memory.
at::Tensor as_image(const at::Tensor& x) { return x.unsqueeze(0).unsqueeze(2).permute({0, 3, 1, 2}); }

// x [rows, in] · weightᵀ [in, out] (+ bias), all contiguous.
at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const c10::optional<at::Tensor>& bias) {
  auto y = at::mkldnn_convolution(as_image(x), weight.unsqueeze(-1).unsqueeze(-1), bias, {0, 0}, {1, 1}, {1, 1}, 1);
  return y.permute({0, 2, 3, 1}).reshape({x.size(0), weight.size(0)});
}

bool fits(const at::Tensor& x, const at::Tensor& weight) {
  static const bool worth = at::hasMKLDNN() && !at::hasMKL() && at::globalContext().userEnabledMkldnn();
  return worth && x.device().is_cpu() && weight.device().is_cpu() && x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat &&
         x.layout() == at::kStrided && weight.layout() == at::kStrided && weight.dim() == 2 && x.dim() >= 2 && x.size(-1) == weight.size(1) &&
         weight.size(0) >= kFewest && weight.size(1) >= kFewest && x.numel() / x.size(-1) >= kRows &&
         c10::impl::tls_is_dispatch_key_excluded(c10::DispatchKey::AutocastCPU);  // no autocast here
}

struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight, const c10::optional<at::Tensor>& bias) {
    at::AutoDispatchBelowADInplaceOrView below;
    ctx->save_for_backward({x, weight});
    ctx->saved_data["bias"] = bias.has_value();
    return product(x, weight.contiguous(), bias);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    auto saved = ctx->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1];
    auto grad = grads[0];
    at::Tensor dx, dweight, dbias;
    if (ctx->needs_input_grad(0)) {
      // A gradient of this gradient needs operators that have one.
      dx = at::GradMode::is_enabled() ? at::mm(grad, weight) : product(grad.contiguous(), weight.t().contiguous(), c10::nullopt);
    }
    if (ctx->needs_input_grad(1)) {
      dweight = at::mm(grad.t(), x);
    }
    if (ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(2)) {
      dbias = grad.sum(0);
    }
    return {dx, dweight, dbias};
  }
};

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const c10::optional<at::Tensor>& bias) {
  bool odd_bias = bias.has_value() && bias->defined() && (bias->dim() != 1 || bias->size(0) != weight.size(0) || bias->scalar_type() != at::kFloat);
  if (!fits(x, weight) || odd_bias) {
    return at::linear(x, weight, bias);  // with its errors, where something does not fit together
  }
  auto rows = x.reshape({-1, x.size(-1)}).contiguous();
  bool differentiable = at::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad() || (bias.has_value() && bias->requires_grad()));
  auto y = differentiable ? Linear::apply(rows, weight, bias) : product(rows, weight.contiguous(), bias);
  auto shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return y.view(shape);
}

}  // namespace
}  // namespace recsys

TORCH_LIBRARY_FRAGMENT(recsys, library) {
  library.def("linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor", recsys::linear);
}
