// The gradient of a convolution's weight, to the same bytes on any number of threads. oneDNN lets each thread add up a share of the
// pictures; here the shares follow from the shapes alone, each is computed by one thread, and they are added in order. The gradients of
// the input and the forward pass have no sums that threads share.
#include "abi.h"
#include "shares.h"

#include <ATen/CompositeExplicitAutogradFunctions.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>
#include <vector>

namespace recsys {
namespace {

constexpr int64_t kMost = 16;     // shares
constexpr int64_t kRows = 4096;   // output pixels below which a share spends its time on adding weights up
constexpr int64_t kBlock = 32;    // output channels that a share has at least: oneDNN's own block, twice

using Gradients = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

struct Geometry {
  at::IntArrayRef stride, padding, dilation;
  bool transposed;
  at::IntArrayRef output_padding;
  int64_t groups;
};

Gradients original(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, at::OptionalIntArrayRef bias, const Geometry& g, std::array<bool, 3> wanted) {
  return at::compositeexplicitautograd::convolution_backward(grad, x, weight, bias, g.stride, g.padding, g.dilation, g.transposed, g.output_padding, g.groups, wanted);
}

// grad [pictures, out, ...], x [pictures, in, ...] → as weight [out, in / groups, ...].
at::Tensor weight_gradient(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, const Geometry& g) {
  int64_t pictures = x.size(0), channels = weight.size(0), rows = grad.numel() / channels;
  int64_t batches = std::max<int64_t>(1, std::min({kMost, rows / kRows, pictures}));
  int64_t blocks = g.groups > 1 ? 1 : std::max<int64_t>(1, std::min(kMost / batches, channels / kBlock));
  int64_t batch = (pictures + batches - 1) / batches, block = (channels + blocks - 1) / blocks;
  batches = (pictures + batch - 1) / batch;
  blocks = (channels + block - 1) / block;
  std::vector<at::Tensor> shares(static_cast<size_t>(batches * blocks));
  for_each_share(batches * blocks, [&](int64_t u) {
    at::AutoDispatchBelowADInplaceOrView below;  // a thread's modes are its own
    c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::DispatchKey::AutocastCPU);
    int64_t from = u / blocks * batch, pictures_here = std::min(batch, pictures - from), channel = u % blocks * block, channels_here = std::min(block, channels - channel);
    shares[u] = std::get<1>(original(grad.narrow(0, from, pictures_here).narrow(1, channel, channels_here), x.narrow(0, from, pictures_here), weight.narrow(0, channel, channels_here), {}, g,
                                     {false, true, false}));
  });
  std::vector<at::Tensor> parts;
  for (int64_t b = 0; b < blocks; b++) {
    auto total = shares[b];
    if (batches > 1) {
      total = total.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
      for (int64_t i = 1; i < batches; i++) total.add_(shares[i * blocks + b]);
      total = total.to(weight.scalar_type());
    }
    parts.push_back(std::move(total));
  }
  return blocks == 1 ? parts[0] : at::cat(parts);
}

Gradients backward(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, at::OptionalIntArrayRef bias, at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation,
                   bool transposed, at::IntArrayRef output_padding, int64_t groups, std::array<bool, 3> wanted) {
  Geometry g{stride, padding, dilation, transposed, output_padding, groups};
  bool narrow_type = x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;  // others never reach oneDNN
  if (!shares_installed() || !wanted[1] || transposed || !narrow_type || x.dim() < 3 || grad.numel() == 0 || x.numel() == 0) {
    return original(grad, x, weight, bias, g, wanted);
  }
  Gradients result;
  if (wanted[0]) {
    std::get<0>(result) = std::get<0>(original(grad, x, weight, bias, g, {true, false, false}));
  }
  std::get<1>(result) = weight_gradient(grad, x, weight, g);
  if (wanted[2]) {
    std::vector<int64_t> others(static_cast<size_t>(grad.dim()) - 1);
    std::iota(others.begin() + 1, others.end(), 2);  // all but the channels
    std::get<2>(result) = grad.sum(others);
  }
  return result;
}

}  // namespace
}  // namespace recsys

TORCH_LIBRARY_IMPL(aten, CPU, library) {
  library.impl("convolution_backward", recsys::backward);
}
