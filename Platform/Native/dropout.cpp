// Dropout for CPU tensors. libtorch draws its mask with a single-threaded bernoulli_ and stores it; here each element's fate is
// a hash of (seed, position), so that all cores draw at once, the result does not depend on their number, and backward draws
// the same mask again instead of keeping it.
#include "abi.h"
#include "vector.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <mutex>
#include <stdexcept>

namespace recsys {
namespace {

constexpr int64_t kBlock = 4096;  // elements that share one pair of keys

// `from`: the place of the first element in its block.
RS_VECTOR void block_float(const float* in, float* out, int64_t n, uint32_t from, uint32_t k0, uint32_t k1, uint32_t threshold, float scale) {
  for (int64_t i = 0; i < n; i++) {
    float keep = draw(from + static_cast<uint32_t>(i), k0, k1) >= threshold ? scale : 0.0f;
    out[i] = in[i] * keep;
  }
}

RS_VECTOR void block_mask(float* out, int64_t n, uint32_t from, uint32_t k0, uint32_t k1, uint32_t threshold, float scale) {
  for (int64_t i = 0; i < n; i++) {
    out[i] = draw(from + static_cast<uint32_t>(i), k0, k1) >= threshold ? scale : 0.0f;
  }
}

void block(const float* in, float* out, int64_t n, uint32_t from, uint32_t k0, uint32_t k1, uint32_t threshold, double scale) {
  block_float(in, out, n, from, k0, k1, threshold, static_cast<float>(scale));
}

template <typename T>
void block(const T* in, T* out, int64_t n, uint32_t from, uint32_t k0, uint32_t k1, uint32_t threshold, double scale) {
  float keep[kBlock];
  block_mask(keep, n, from, k0, k1, threshold, 1.0f);
  using Compute = std::conditional_t<std::is_same<T, double>::value, double, float>;
  for (int64_t i = 0; i < n; i++) {
    out[i] = keep[i] != 0.0f ? static_cast<T>(static_cast<Compute>(in[i]) * static_cast<Compute>(scale)) : static_cast<T>(0.0f);
  }
}

// `skip`: elements of a larger tensor that come before these; its mask is continued.
at::Tensor drop(const at::Tensor& input, double p, uint64_t seed, int64_t skip) {
  auto x = input.contiguous();
  auto y = at::empty_like(x);
  auto threshold = drop_threshold(p);
  double scale = 1.0 / (1.0 - p);
  int64_t n = x.numel();
  int64_t head = skip / kBlock, blocks = n == 0 ? 0 : (skip + n - 1) / kBlock + 1 - head;
  AT_DISPATCH_FLOATING_TYPES_AND2(at::kBFloat16, at::kHalf, x.scalar_type(), "fast_dropout", [&] {
    const auto* in = x.data_ptr<scalar_t>();
    auto* out = y.data_ptr<scalar_t>();
    at::parallel_for(0, blocks, 4, [&](int64_t first, int64_t last) {
      for (int64_t b = first; b < last; b++) {
        uint64_t key = block_key(seed, static_cast<uint64_t>(head + b));
        auto k0 = static_cast<uint32_t>(key);
        auto k1 = static_cast<uint32_t>(key >> 32);
        int64_t start = std::max((head + b) * kBlock, skip);
        int64_t at = start - skip;
        int64_t m = std::min((head + b + 1) * kBlock - start, n - at);
        block(in + at, out + at, m, static_cast<uint32_t>(start % kBlock), k0, k1, threshold, scale);
      }
    });
  });
  return y;
}

struct FastDropout : torch::autograd::Function<FastDropout> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, double p, int64_t seed, int64_t skip) {
    context->saved_data["p"] = p;
    context->saved_data["seed"] = seed;
    context->saved_data["skip"] = skip;
    at::AutoDispatchBelowADInplaceOrView below;
    return drop(x, p, static_cast<uint64_t>(seed), skip);
  }

  // Linear in the gradient with the same mask, so applying itself also gives second derivatives.
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
    if (!gradients[0].defined()) {
      return {at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
    }
    auto g = FastDropout::apply(gradients[0].contiguous(), context->saved_data["p"].toDouble(), context->saved_data["seed"].toInt(), context->saved_data["skip"].toInt());
    return {g, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace
}  // namespace recsys

using namespace recsys;

// generator: null for the default one; one 64-bit number is taken from its stream.
RS_EXPORT int32_t rs_fast_dropout(void* handle, double p, void* generator, Out* result) {
  return guarded([&] {
    required(result);
    auto x = share(handle);
    if (!(p >= 0.0 && p < 1.0)) {
      throw std::invalid_argument("the dropout probability is " + std::to_string(p) + ", allowed is 0 <= p < 1");
    }
    if (!x.device().is_cpu() || x.layout() != at::kStrided || !at::isFloatingType(x.scalar_type())) {
      throw std::invalid_argument("fast dropout takes dense floating-point tensors on the CPU");
    }
    auto* g = generator ? at::check_generator<at::CPUGeneratorImpl>(*static_cast<at::Generator*>(generator))
                        : at::check_generator<at::CPUGeneratorImpl>(at::detail::getDefaultCPUGenerator());
    uint64_t seed;
    {
      std::lock_guard<std::mutex> lock(g->mutex_);
      seed = g->random64();
    }
    give(FastDropout::apply(x, p, static_cast<int64_t>(seed), 0), result);
  });
}

namespace recsys {
namespace {

at::Tensor seeded_dropout(const at::Tensor& x, double p, int64_t seed, int64_t skip) {
  TORCH_CHECK(x.device().is_cpu() && at::isFloatingType(x.scalar_type()), "seeded dropout takes floating-point tensors on the CPU");
  TORCH_CHECK(p >= 0 && p < 1, "the dropout probability is ", p, ", allowed is 0 <= p < 1");
  TORCH_CHECK(skip >= 0, "the place of the first element is ", skip, ", allowed is 0 and more");
  return p == 0 ? x : FastDropout::apply(x, p, seed, skip);
}

}  // namespace
}  // namespace recsys

TORCH_LIBRARY_FRAGMENT(recsys, library) {
  library.def("dropout(Tensor input, float p, int seed, int skip=0) -> Tensor", recsys::seeded_dropout);
}
