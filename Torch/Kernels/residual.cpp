// The seam between a transformer's sublayers on the CPU: residual + dropout(branch), then its layer norm, in one pass over memory and one
// back. The dropout mask is a hash of (seed, row, column), drawn again in backward instead of kept; libtorch draws its own on one thread.
#include "vector.h"

#include <cmath>
#include <vector>

namespace recsys {
namespace {

constexpr int64_t kRowBlock = 64;  // rows that share a partial sum of the gains' gradient, whatever the number of threads

struct Mask {
  uint64_t seed;
  uint32_t threshold;
  float scale;  // of what is kept
};

Mask mask_of(double p, uint64_t seed) { return {seed, drop_threshold(p), static_cast<float>(1 / (1 - p))}; }

// out[i] = scale or 0.
RS_VECTOR void mask_row(float* out, int64_t n, uint32_t k0, uint32_t k1, uint32_t threshold, float scale) {
  for (int64_t i = 0; i < n; i++) out[i] = draw(static_cast<uint32_t>(i), k0, k1) >= threshold ? scale : 0.0f;
}

void mask_row(const Mask& m, int64_t row, float* out, int64_t n) {
  if (m.threshold == 0) {
    std::fill(out, out + n, 1.0f);
    return;
  }
  uint64_t key = block_key(m.seed, static_cast<uint64_t>(row));
  mask_row(out, n, static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32), m.threshold, m.scale);
}

struct Moments {
  float mean, rstd;
};

// Σ term(i) in sixteen lanes, added up in a fixed order: left to the compiler, the order would follow from the addresses.
template <typename Term>
RS_INLINE float in_lanes(int64_t n, Term term) {
  float lane[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int l = 0; l < kLanes; l++) lane[l] += term(i + l);
  }
  for (int l = 0; i < n; i++, l++) lane[l] += term(i);
  float total = 0;
  for (int l = 0; l < kLanes; l++) total += lane[l];
  return total;
}

template <typename T>
RS_INLINE Moments forward_row(const float* x, const T* branch, const float* mask, const float* gain, const float* shift, float* total, T* normed, int64_t n, float eps) {
  for (int64_t i = 0; i < n; i++) total[i] = x[i] + widen(branch[i]) * mask[i];
  float mean = in_lanes(n, [&](int64_t i) { return total[i]; }) / static_cast<float>(n);
  float square = in_lanes(n, [&](int64_t i) { return (total[i] - mean) * (total[i] - mean); });
  float rstd = 1 / std::sqrt(square / static_cast<float>(n) + eps);
  for (int64_t i = 0; i < n; i++) narrow((total[i] - mean) * rstd * gain[i] + shift[i], normed[i]);
  return {mean, rstd};
}

// dx = ∂total + the norm's share; dbranch = dx · mask. The gains' gradients are added up.
template <typename T>
RS_INLINE void backward_row(const float* total, const float* dtotal, const T* dnormed, const float* mask, const float* gain, Moments m, float* dx, T* dbranch, float* dgain, float* dshift,
                            int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    float g = widen(dnormed[i]);
    dgain[i] += g * ((total[i] - m.mean) * m.rstd);
    dshift[i] += g;
  }
  float sum = in_lanes(n, [&](int64_t i) { return widen(dnormed[i]) * gain[i]; }) / static_cast<float>(n);
  float product = in_lanes(n, [&](int64_t i) { return widen(dnormed[i]) * gain[i] * ((total[i] - m.mean) * m.rstd); }) / static_cast<float>(n);
  for (int64_t i = 0; i < n; i++) {
    float unit = (total[i] - m.mean) * m.rstd;
    dx[i] = dtotal[i] + (widen(dnormed[i]) * gain[i] - sum - unit * product) * m.rstd;
    narrow(dx[i] * mask[i], dbranch[i]);
  }
}

RS_VECTOR Moments forward_line(const float* x, const float* branch, const float* mask, const float* gain, const float* shift, float* total, float* normed, int64_t n, float eps) {
  return forward_row(x, branch, mask, gain, shift, total, normed, n, eps);
}
RS_VECTOR Moments forward_line(const float* x, const BFloat16* branch, const float* mask, const float* gain, const float* shift, float* total, BFloat16* normed, int64_t n, float eps) {
  return forward_row(x, branch, mask, gain, shift, total, normed, n, eps);
}
RS_VECTOR void backward_line(const float* total, const float* dtotal, const float* dnormed, const float* mask, const float* gain, Moments m, float* dx, float* dbranch, float* dgain,
                             float* dshift, int64_t n) {
  backward_row(total, dtotal, dnormed, mask, gain, m, dx, dbranch, dgain, dshift, n);
}
RS_VECTOR void backward_line(const float* total, const float* dtotal, const BFloat16* dnormed, const float* mask, const float* gain, Moments m, float* dx, BFloat16* dbranch,
                             float* dgain, float* dshift, int64_t n) {
  backward_row(total, dtotal, dnormed, mask, gain, m, dx, dbranch, dgain, dshift, n);
}

}  // namespace
}  // namespace recsys

using namespace recsys;

// Kept in step with Recsys.Torch.Kernels.NormCall. All tensors are dense; type is the branch's and the normed result's.
struct NormCall {
  int64_t rows, width;
  int64_t first;  // place of the first row in the whole batch, by which the mask is drawn
  double p;
  uint64_t seed;
  float eps;
  int32_t type;
  const float *gain, *shift;  // [width]
};

// moments: [rows, 2].
RS_EXPORT void rs_add_dropout_norm(const NormCall* c, const float* residual, const void* branch, float* total, void* normed, float* moments) {
  Mask mask = mask_of(c->p, c->seed);
  int64_t n = c->width;
  typed(c->type, [&](auto kind) {
    using T = decltype(kind);
    auto* b = static_cast<const T*>(branch);
    auto* o = static_cast<T*>(normed);
#pragma omp parallel
    {
      std::vector<float> keep(static_cast<size_t>(n));
#pragma omp for schedule(static)
      for (int64_t r = 0; r < c->rows; r++) {
        mask_row(mask, c->first + r, keep.data(), n);
        auto m = forward_line(residual + r * n, b + r * n, keep.data(), c->gain, c->shift, total + r * n, o + r * n, n, c->eps);
        moments[2 * r] = m.mean;
        moments[2 * r + 1] = m.rstd;
      }
    }
  });
}

// sums: [blocks of 64 rows, 2, width], zero before: partial gradients of gain and shift.
RS_EXPORT void rs_add_dropout_norm_backward(const NormCall* c, const float* total, const float* moments, const float* dtotal, const void* dnormed, float* dresidual, void* dbranch,
                                            float* sums) {
  Mask mask = mask_of(c->p, c->seed);
  int64_t n = c->width, blocks = (c->rows + kRowBlock - 1) / kRowBlock;
  typed(c->type, [&](auto kind) {
    using T = decltype(kind);
    auto* dn = static_cast<const T*>(dnormed);
    auto* db = static_cast<T*>(dbranch);
#pragma omp parallel
    {
      std::vector<float> keep(static_cast<size_t>(n));
#pragma omp for schedule(static)
      for (int64_t block = 0; block < blocks; block++) {
        float *dgain = sums + block * 2 * n, *dshift = dgain + n;
        for (int64_t r = block * kRowBlock; r < std::min((block + 1) * kRowBlock, c->rows); r++) {
          mask_row(mask, c->first + r, keep.data(), n);
          backward_line(total + r * n, dtotal + r * n, dn + r * n, keep.data(), c->gain, {moments[2 * r], moments[2 * r + 1]}, dresidual + r * n, db + r * n, dgain, dshift, n);
        }
      }
    }
  });
}
