// x Wᵀ with weights in panels of 32 outputs, of float32 or of bf16: a panel of 128 inputs fills a third of the first cache.
#pragma once

#include "bf16.h"
#include "products.h"

namespace recsys {
namespace {

inline int64_t whole(int64_t n) { return recsys::whole(n, kPanel); }

// Rows as pairs of bf16, [rows][pairs], a zero behind the last of an odd number.
RS_BF16 void halve(const float* x, int64_t ldx, int64_t rows, int64_t inputs, uint32_t* to) {
  int64_t pairs = (inputs + 1) / 2;
  for (int64_t r = 0; r < rows; r++) {
    auto row = reinterpret_cast<uint16_t*>(to + r * pairs);
    for (int64_t i = 0; i < 2 * pairs; i += kLanes) {
      auto read = static_cast<__mmask16>(lanes(inputs - i)), written = static_cast<__mmask16>(lanes(2 * pairs - i));
      _mm256_mask_storeu_epi16(row + i, written, (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(read, x + r * ldx + i)));
    }
  }
}

RS_BF16 void apply_half(const float* x, int64_t ldx, const uint32_t* panels, int64_t rows, int64_t inputs, int64_t outputs, float* y, int64_t ldy, uint32_t* room) {
  int64_t pairs = (inputs + 1) / 2;
  halve(x, ldx, rows, inputs, room);
  for (int64_t o = 0; o < outputs; o += kPanel, panels += pairs * kPanel) {
    int64_t r = 0;
    for (; r + 8 <= rows; r += 8) pair_tile<8>(room + r * pairs, pairs, 1, panels, pairs, y + r * ldy + o, ldy, false);
    for (; r + 4 <= rows; r += 4) pair_tile<4>(room + r * pairs, pairs, 1, panels, pairs, y + r * ldy + o, ldy, false);
    for (; r < rows; r++) pair_tile<1>(room + r * pairs, pairs, 1, panels, pairs, y + r * ldy + o, ldy, false);
  }
}

// x Wᵀ into rows of whole panels; W in panels of outputs, [whole(outputs) / 32][inputs][32], or of bf16, [whole(outputs) / 32][pairs][32][2].
void apply(const float* x, int64_t ldx, const float* panels, int64_t rows, int64_t inputs, int64_t outputs, float* y, int64_t ldy, float* room, bool half) {
  if (half) {
    apply_half(x, ldx, reinterpret_cast<const uint32_t*>(panels), rows, inputs, outputs, y, ldy, reinterpret_cast<uint32_t*>(room));
    return;
  }
  for (int64_t o = 0; o < outputs; o += kPanel) multiply(x, ldx, 1, panels + o * inputs, kPanel, y + o, ldy, rows, kPanel, inputs, false);
}

}  // namespace
}  // namespace recsys
