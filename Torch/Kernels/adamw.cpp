// AdamW (Loshchilov and Hutter 2019) over all parameters in one parallel pass, in PyTorch's order of operations.
#include "vector.h"

#include <cmath>
#include <vector>

namespace recsys {
namespace {

constexpr int64_t kChunk = 1 << 14;  // elements: 64 KB of floats

}  // namespace
}  // namespace recsys

using namespace recsys;

// Kept in step with Recsys.Torch.Kernels.AdamWTensor. One parameter: dense float32, all four of one length.
struct AdamWTensor {
  float *weight, *mean, *square;
  const float* gradient;
  int64_t length;
  float beta1, beta2, mean_share, square_share;  // 1 − beta, rounded once
  float eps;
  float decay;            // 1 − rate · weight decay
  float step;             // rate / (1 − beta1^t)
  float root_correction;  // √(1 − beta2^t)
};

namespace {

RS_VECTOR void update(const AdamWTensor& t, int64_t from, int64_t n) {
  float *__restrict w = t.weight + from, *__restrict m = t.mean + from, *__restrict v = t.square + from;
  const float* __restrict g = t.gradient + from;
  float b1 = t.beta1, b2 = t.beta2, c1 = t.mean_share, c2 = t.square_share, eps = t.eps, decay = t.decay, step = t.step, inverse = 1 / t.root_correction;
#pragma GCC ivdep
  for (int64_t i = 0; i < n; i++) {
    float mean = m[i] * b1 + g[i] * c1, square = v[i] * b2 + g[i] * g[i] * c2;
    m[i] = mean;
    v[i] = square;
    w[i] = w[i] * decay - step * mean / (std::sqrt(square) * inverse + eps);
  }
}

}  // namespace

RS_EXPORT void rs_adamw(const AdamWTensor* tensors, int64_t count) {
  std::vector<int64_t> first(static_cast<size_t>(count) + 1);  // chunk at which each tensor starts
  for (int64_t i = 0; i < count; i++) first[i + 1] = first[i] + (tensors[i].length + kChunk - 1) / kChunk;
#pragma omp parallel for schedule(static)
  for (int64_t chunk = 0; chunk < first[count]; chunk++) {
    int64_t i = std::upper_bound(first.begin(), first.end(), chunk) - first.begin() - 1;
    int64_t from = (chunk - first[i]) * kChunk;
    update(tensors[i], from, std::min(kChunk, tensors[i].length - from));
  }
}
