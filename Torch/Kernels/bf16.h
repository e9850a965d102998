// Products of bf16 pairs with float32 sums, in tiles, for loops that need AVX512-BF16.
#pragma once

// GCC 12 takes the undefined lanes inside its own intrinsics for variables of ours.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include "vector.h"

#include <immintrin.h>

#define RS_BF16 __attribute__((target("arch=x86-64-v4,avx512bf16")))

namespace recsys {

// Two neighbours along the dimension that is summed: what the instruction multiplies at once.
typedef uint32_t Pair __attribute__((aligned(2), may_alias));

constexpr int64_t kTile = 8, kPanel = 32;  // rows and columns of a tile: its sums fill half of the registers

inline int64_t whole(int64_t n, int64_t of) { return (n + of - 1) / of * of; }

// c[R, 32] (+)= Σ a[row, pair] b[pair, column], in the same order whatever R is; a is walked with any strides, b is dense.
template <int R>
RS_BF16 inline void pair_tile(const Pair* a, int64_t row, int64_t step, const uint32_t* b, int64_t pairs, float* c, int64_t ldc, bool add) {
  __m512 s[R][2];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
    s[r][0] = add ? _mm512_loadu_ps(c + r * ldc) : _mm512_setzero_ps();
    s[r][1] = add ? _mm512_loadu_ps(c + r * ldc + kLanes) : _mm512_setzero_ps();
  }
  for (int64_t k = 0; k < pairs; k++) {
    auto b0 = (__m512bh)_mm512_loadu_si512(b + k * kPanel), b1 = (__m512bh)_mm512_loadu_si512(b + k * kPanel + kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      auto x = (__m512bh)_mm512_set1_epi32(static_cast<int>(a[r * row + k * step]));
      s[r][0] = _mm512_dpbf16_ps(s[r][0], x, b0);
      s[r][1] = _mm512_dpbf16_ps(s[r][1], x, b1);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
    _mm512_storeu_ps(c + r * ldc, s[r][0]);
    _mm512_storeu_ps(c + r * ldc + kLanes, s[r][1]);
  }
}

// The first n lanes of sixteen, or of 32.
RS_BF16 inline __mmask32 lanes(int64_t n) { return n >= kPanel ? ~__mmask32{0} : n <= 0 ? __mmask32{0} : (__mmask32{1} << n) - 1; }

RS_BF16 inline __m512i pair_up(__m256i low, __m256i high) { return _mm512_or_si512(_mm512_cvtepu16_epi32(low), _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16)); }

RS_BF16 inline __m512i pair_up(__m512 low, __m512 high) { return pair_up((__m256i)_mm512_cvtneps_pbh(low), (__m256i)_mm512_cvtneps_pbh(high)); }

RS_BF16 inline __m512 widened(const BFloat16* p, __mmask32 m) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(static_cast<__mmask16>(m), p)), 16));
}

RS_BF16 inline void narrowed(BFloat16* p, __mmask32 m, __m512 low, __m512 high) { _mm512_mask_storeu_epi16(p, m, (__m512i)_mm512_cvtne2ps_pbh(high, low)); }

// W [outputs, inputs] for x Wᵀ: a panel of outputs, pairs along the inputs, [inputs / 2][32]; inputs are even.
RS_BF16 inline void pack_transposed(const float* w, int64_t outputs, int64_t inputs, int64_t panel, uint32_t* to) {
  auto rows = _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_epi32(static_cast<int>(inputs)));
  for (int64_t o = panel * kPanel; o < (panel + 1) * kPanel; o += kLanes, to += kLanes) {
    auto m = static_cast<__mmask16>(lanes(outputs - o));
    for (int64_t k = 0; k < inputs; k += 2) {
      auto column = [&](int64_t i) RS_BF16 { return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), m, rows, w + o * inputs + i, 4); };
      _mm512_storeu_si512(to + k / 2 * kPanel, pair_up(column(k), column(k + 1)));
    }
  }
}

}  // namespace recsys
