// The seam between a transformer's sublayers on the CPU: residual + gate · dropout(branch), then its layer norm, in one pass over memory
// and one back. Gain, shift and gate belong to all rows, or to groups of them (adaLN-Zero, Peebles and Xie 2023, section 3.2). The dropout
// mask is a hash of (seed, row, column), drawn again in backward instead of kept; libtorch draws its own on one thread.
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

RS_VECTOR void gate_row(float* keep, const float* gate, int64_t n) {
  for (int64_t i = 0; i < n; i++) keep[i] *= gate[i];
}

template <typename T>
RS_INLINE void gate_back_row(const float* dx, const T* branch, const float* mask, const float* gate, T* dbranch, float* dgate, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    float d = dx[i] * mask[i];
    dgate[i] += d * widen(branch[i]);
    narrow(d * gate[i], dbranch[i]);
  }
}
RS_VECTOR void gate_back(const float* dx, const float* branch, const float* mask, const float* gate, float* dbranch, float* dgate, int64_t n) {
  gate_back_row(dx, branch, mask, gate, dbranch, dgate, n);
}
RS_VECTOR void gate_back(const float* dx, const BFloat16* branch, const float* mask, const float* gate, BFloat16* dbranch, float* dgate, int64_t n) {
  gate_back_row(dx, branch, mask, gate, dbranch, dgate, n);
}

}  // namespace
}  // namespace recsys

using namespace recsys;

// Kept in step with Recsys.Torch.Kernels.NormCall. All tensors are dense; type is the branch's and the normed result's.
struct NormCall {
  int64_t rows, width;
  int64_t group;  // rows that share gain, shift and gate
  int64_t first;  // place of the first row in the whole batch, by which the mask is drawn
  double p;
  uint64_t seed;
  float eps;
  int32_t type;
  const float *gain, *shift, *gate;  // [rows / group, width]; gate may be null
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
        int64_t of = r / c->group * n;
        mask_row(mask, c->first + r, keep.data(), n);
        if (c->gate) gate_row(keep.data(), c->gate + of, n);
        auto m = forward_line(residual + r * n, b + r * n, keep.data(), c->gain + of, c->shift + of, total + r * n, o + r * n, n, c->eps);
        moments[2 * r] = m.mean;
        moments[2 * r + 1] = m.rstd;
      }
    }
  });
}

// sums: [groups, blocks of 64 rows of a group, 3, width], zero before: partial gradients of gain, shift and gate. branch: with a gate only.
RS_EXPORT void rs_add_dropout_norm_backward(const NormCall* c, const float* total, const float* moments, const float* dtotal, const void* dnormed, const void* branch, float* dresidual,
                                            void* dbranch, float* sums) {
  Mask mask = mask_of(c->p, c->seed);
  int64_t n = c->width, blocks = (c->group + kRowBlock - 1) / kRowBlock, groups = c->group == 0 ? 0 : c->rows / c->group;
  typed(c->type, [&](auto kind) {
    using T = decltype(kind);
    auto* dn = static_cast<const T*>(dnormed);
    auto* b = static_cast<const T*>(branch);
    auto* db = static_cast<T*>(dbranch);
#pragma omp parallel
    {
      std::vector<float> keep(static_cast<size_t>(n));
#pragma omp for schedule(static)
      for (int64_t block = 0; block < groups * blocks; block++) {
        int64_t group = block / blocks, of = group * n, first = group * c->group + block % blocks * kRowBlock;
        float *dgain = sums + block * 3 * n, *dshift = dgain + n, *dgate = dshift + n;
        for (int64_t r = first; r < std::min(first + kRowBlock, (group + 1) * c->group); r++) {
          mask_row(mask, c->first + r, keep.data(), n);
          backward_line(total + r * n, dtotal + r * n, dn + r * n, keep.data(), c->gain + of, {moments[2 * r], moments[2 * r + 1]}, dresidual + r * n, db + r * n, dgain, dshift, n);
          if (c->gate) gate_back(dresidual + r * n, b + r * n, keep.data(), c->gate + of, db + r * n, dgate, n);
        }
      }
    }
  });
}
