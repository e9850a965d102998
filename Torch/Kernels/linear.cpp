// A linear layer in bf16 with float32 sums: x Wᵀ + b, or GELU(x) Wᵀ + b, and all its gradients. Blocks of rows pass through the second
// cache once: what the products of a block share is read, activated and packed once, and nothing in between reaches memory. Needs AVX512-BF16.

#include "bf16.h"

#include <omp.h>

#include <vector>

namespace recsys {
namespace {

constexpr int64_t kBlock = 96;  // rows that stay in the cache

struct Gelu {
  __m512 value, slope;
};

// x Φ(x), and Φ(x) + x φ(x); Φ by Abramowitz and Stegun 7.1.26, to 1e-7.
RS_BF16 inline Gelu gelu(__m512 x) {
  __m512 t = _mm512_div_ps(_mm512_set1_ps(1), _mm512_abs_ps(x) * (0.3275911f * 0.70710678f) + 1.0f);
  __m512 bell = (__m512)exp_negative((Floats)(x * x * -0.5f));
  __m512 tail = ((((t * 0.5307027145f - 0.7265760135f) * t + 0.7107068705f) * t - 0.142248368f) * t + 0.127414796f) * t * bell;  // Φ(−|x|)
  __m512 below = _mm512_mask_sub_ps(tail, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ), _mm512_set1_ps(1), tail);
  return {x * below, below + x * bell * 0.39894228f};
}

// W for ∂y W: a panel of inputs, pairs along the outputs, [outputs / 2][32].
RS_BF16 void pack(const float* w, int64_t outputs, int64_t inputs, int64_t panel, uint32_t* to) {
  for (int64_t i = panel * kPanel; i < (panel + 1) * kPanel; i += kLanes, to += kLanes) {
    auto m = static_cast<__mmask16>(lanes(inputs - i));
    for (int64_t k = 0; k < outputs; k += 2) {
      _mm512_storeu_si512(to + k / 2 * kPanel, pair_up(_mm512_maskz_loadu_ps(m, w + k * inputs + i), _mm512_maskz_loadu_ps(m, w + (k + 1) * inputs + i)));
    }
  }
}

// A block's rows for ∂W: [width / group][rows / 2][group], groups of 8 or 32 columns. Sums, if any: [width], grow by each column's sum.
RS_BF16 void pack_rows(const BFloat16* x, int64_t rows, int64_t width, int64_t group, uint32_t* to, float* sums) {
  auto one = (__m512bh)_mm512_set1_epi32(0x3F803F80);
  for (int64_t i = 0; i < whole(width, group); i += kLanes) {
    auto m = static_cast<__mmask16>(lanes(width - i));
    __m512 sum = _mm512_setzero_ps();
    for (int64_t r = 0; r < rows; r += 2) {
      auto both = pair_up(_mm256_maskz_loadu_epi16(m, x + r * width + i), _mm256_maskz_loadu_epi16(m, x + (r + 1) * width + i));
      auto put = [&](int64_t column, __m256i half) RS_BF16 { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + column / group * group * (rows / 2) + r / 2 * group + column % group), half); };
      put(i, _mm512_castsi512_si256(both));
      if (i + 8 < whole(width, group)) put(i + 8, _mm512_extracti64x4_epi64(both, 1));
      sum = _mm512_dpbf16_ps(sum, (__m512bh)both, one);
    }
    if (sums) _mm512_mask_storeu_ps(sums + i, m, _mm512_maskz_loadu_ps(m, sums + i) + sum);
  }
}

// GELU(x), and GELU′(x) where it is asked for.
RS_BF16 void activate(const BFloat16* x, int64_t n, BFloat16* values, BFloat16* slopes) {
  for (int64_t i = 0; i < n; i += kPanel) {
    auto m = lanes(n - i);
    Gelu low = gelu(widened(x + i, m)), high = gelu(widened(x + i + kLanes, m >> kLanes));
    narrowed(values + i, m, low.value, high.value);
    if (slopes) narrowed(slopes + i, m, low.slope, high.slope);
  }
}

// y = (c + bias) · slopes, n columns; without bias or slopes where they are null.
RS_BF16 void finish(const float* c, int64_t rows, int64_t n, int64_t width, const float* bias, const BFloat16* slopes, BFloat16* y) {
  auto m = lanes(n), h = m >> kLanes;
  __m512 low = bias ? _mm512_maskz_loadu_ps(static_cast<__mmask16>(m), bias) : _mm512_setzero_ps();
  __m512 high = bias ? _mm512_maskz_loadu_ps(static_cast<__mmask16>(h), bias + kLanes) : _mm512_setzero_ps();
  for (int64_t r = 0; r < rows; r++, c += kPanel, y += width) {
    __m512 a = _mm512_loadu_ps(c) + low, b = _mm512_loadu_ps(c + kLanes) + high;
    if (slopes) {
      a *= widened(slopes + r * width, m);
      b *= widened(slopes + r * width + kLanes, h);
    }
    narrowed(y, m, a, b);
  }
}

// y [rows, width] = a [rows, 2 · pairs] times the panels; a has whole tiles of rows.
void multiply(const BFloat16* a, int64_t rows, int64_t pairs, const uint32_t* panels, int64_t width, const float* bias, const BFloat16* slopes, BFloat16* y) {
  float c[kTile * kPanel];
  for (int64_t j = 0; j < width; j += kPanel) {
    for (int64_t r = 0; r < rows; r += kTile) {
      pair_tile<kTile>(reinterpret_cast<const Pair*>(a) + r * pairs, pairs, 1, panels + j * pairs, pairs, c, kPanel, false);
      finish(c, std::min(kTile, rows - r), width - j, width, bias ? bias + j : nullptr, slopes ? slopes + r * width + j : nullptr, y + r * width + j);
    }
  }
}

// The block's rows in whole tiles: themselves, or a copy or their GELU with rows of zeros behind.
const BFloat16* tiles_of(const BFloat16* x, int64_t rows, int64_t width, bool gelu, BFloat16* room, BFloat16* slopes = nullptr) {
  if (!gelu && rows % kTile == 0) return x;
  if (gelu) {
    activate(x, rows * width, room, slopes);
  } else {
    std::copy(x, x + rows * width, room);
  }
  std::fill(room + rows * width, room + whole(rows, kTile) * width, BFloat16{0});
  return room;
}

// What one thread works in; kept from call to call.
struct Scratch {
  std::vector<uint32_t> panels, x_pairs, dy_pairs;
  std::vector<BFloat16> x, dy, slopes;
  std::vector<float> sums;
};

Scratch& scratch() {
  static thread_local Scratch s;
  return s;
}

template <typename T>
T* room(std::vector<T>& memory, int64_t n) {
  if (static_cast<int64_t>(memory.size()) < n) memory.resize(static_cast<size_t>(n));
  return memory.data();
}

}  // namespace
}  // namespace recsys

using namespace recsys;

// Kept in step with Recsys.Torch.Kernels.LinearCall. Inputs and outputs are even; bias may be null.
struct LinearCall {
  int64_t rows, inputs, outputs;
  int64_t gelu;
  const BFloat16* x;           // [rows, inputs]
  const float *weight, *bias;  // [outputs, inputs], [outputs]
};

// Not where AMX is: libtorch's products use it.
RS_EXPORT int32_t rs_linear_here() { return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16") && !__builtin_cpu_supports("amx-bf16"); }

// y: [rows, outputs].
RS_EXPORT void rs_linear(const LinearCall* c, BFloat16* y) {
  int64_t in = c->inputs, out = c->outputs, pairs = in / 2;
  uint32_t* w = room(scratch().panels, whole(out, kPanel) * pairs);
#pragma omp parallel
  {
    BFloat16* own = room(scratch().x, kBlock * in);
#pragma omp for schedule(static)
    for (int64_t j = 0; j < out; j += kPanel) pack_transposed(c->weight, out, in, j / kPanel, w + j * pairs);
#pragma omp for schedule(static)
    for (int64_t r = 0; r < c->rows; r += kBlock) {
      int64_t n = std::min(kBlock, c->rows - r);
      multiply(tiles_of(c->x + r * in, n, in, c->gelu, own), n, pairs, w, out, c->bias, nullptr, y + r * out);
    }
  }
}

// dx (may be null): [rows, inputs]; dw: [outputs, inputs]; db (may be null): [outputs]. Each thread adds up its own blocks, by panels of inputs.
RS_EXPORT void rs_linear_backward(const LinearCall* c, const BFloat16* dy, BFloat16* dx, float* dw, float* db) {
  int64_t in = c->inputs, out = c->outputs, width = whole(in, kPanel), height = whole(out, kTile);
  int64_t share = (width + 1) * height, threads = omp_get_max_threads();
  uint32_t* w = room(scratch().panels, width * out / 2);
  float* sums = room(scratch().sums, threads * share);
  std::fill(sums, sums + threads * share, 0.0f);
#pragma omp parallel
  {
    auto& mine = scratch();
    uint32_t *xs = room(mine.x_pairs, kBlock / 2 * width), *dys = room(mine.dy_pairs, kBlock / 2 * height);
    BFloat16 *x_room = room(mine.x, kBlock * in), *dy_room = room(mine.dy, kBlock * out), *slopes = c->gelu ? room(mine.slopes, kBlock * in) : nullptr;
    float* own = sums + omp_get_thread_num() * share;
#pragma omp for schedule(static)
    for (int64_t j = 0; j < width; j += kPanel) pack(c->weight, out, in, j / kPanel, w + j * out / 2);
#pragma omp for schedule(static)
    for (int64_t r = 0; r < c->rows; r += kBlock) {
      int64_t n = std::min(kBlock, c->rows - r), filled = whole(n, kTile);
      const BFloat16 *gradient = tiles_of(dy + r * out, n, out, false, dy_room), *x = tiles_of(c->x + r * in, n, in, c->gelu, x_room, slopes);
      if (dx) multiply(gradient, n, out / 2, w, in, nullptr, slopes, dx + r * in);
      pack_rows(gradient, filled, out, kTile, dys, own + width * height);
      pack_rows(x, filled, in, kPanel, xs, nullptr);
      for (int64_t i = 0; i < width; i += kPanel) {
        for (int64_t o = 0; o < height; o += kTile) pair_tile<kTile>(dys + o * filled / 2, 1, kTile, xs + i * filled / 2, filled / 2, own + i * height + o * kPanel, kPanel, true);
      }
    }
#pragma omp for schedule(static)
    for (int64_t o = 0; o < out; o++) {
      for (int64_t i = 0; i < in; i += kPanel) {
        for (int64_t j = 0; j < std::min(kPanel, in - i); j++) {
          float sum = 0;
          for (int64_t t = 0; t < threads; t++) sum += sums[t * share + i * height + o * kPanel + j];
          dw[o * in + i + j] = sum;
        }
      }
      float bias = 0;
      for (int64_t t = 0; t < threads; t++) bias += sums[t * share + width * height + o];
      if (db) db[o] = bias;
    }
  }
}
