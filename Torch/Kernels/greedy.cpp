// Greedy residual codes: each level takes the code nearest to what the levels before it left over. Products in bf16, whose error has a
// bound, leave the few codes that may be the nearest, and these are compared in float32: the codes are float32's own, for less than float32's
// products. Needs AVX512-BF16.
#include "bf16.h"

#include <cmath>
#include <limits>
#include <vector>

using namespace recsys;

// Kept in step with Recsys.Torch.Kernels.GreedyCodesCall.
struct GreedyCodesCall {
  int64_t rows, dim, width, levels;  // width: the dim filled up to a multiple of 16
  const int64_t* starts;             // [levels + 1] where each level's codes start, multiples of 32
  const float* codes;                // [total, width]
  const float* base;                 // [total] ‖e‖² + price, infinite for a code that is filled up
  const float* lengths;              // [levels, 2] the largest ‖e‖ and the largest ‖e − bf16(e)‖
  const uint32_t* packed;            // as rs_pack_codes leaves them
  const float* x;                    // [rows, dim]
  uint16_t* to;                      // [rows, levels]
};

namespace {

struct Room {
  std::vector<float> rest;       // [8, width]
  std::vector<BFloat16> narrow;  // [8, width]
  std::vector<float> costs;      // [codes / 32][8][32]
};

// The row in bf16, its length, and the length of what bf16 cuts off.
struct Narrowed {
  float length, lost;
};

RS_BF16 Narrowed narrow_row(const float* r, int64_t width, BFloat16* to) {
  __m512 length = _mm512_setzero_ps(), lost = length;
  for (int64_t i = 0; i < width; i += kLanes) {
    __m512 v = _mm512_loadu_ps(r + i);
    auto narrow = (__m256i)_mm512_cvtneps_pbh(v);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), narrow);
    __m512 rest = v - _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(narrow), 16));
    length += v * v;
    lost += rest * rest;
  }
  return {std::sqrt(_mm512_reduce_add_ps(length)), std::sqrt(_mm512_reduce_add_ps(lost))};
}

RS_BF16 float dot(const float* a, const float* b, int64_t width) {
  __m512 s = _mm512_setzero_ps();
  for (int64_t i = 0; i < width; i += kLanes) s += _mm512_loadu_ps(a + i) * _mm512_loadu_ps(b + i);
  return _mm512_reduce_add_ps(s);
}

// How far a cost base − 2 x·e in bf16 may lie from float32's, for the code of a level that is hit worst:
// |x·e − x̂·ê| ≤ ‖x − x̂‖ ‖ê‖ + ‖x‖ ‖e − ê‖, and each of the sums rounds by 2^-24 of what may have gathered.
float error_bound(Narrowed row, const float* lengths, int64_t width) {
  float sums = static_cast<float>(width) * 1.2e-7f;
  return 2.001f * (row.lost * (lengths[0] + lengths[1]) + row.length * lengths[1] + sums * row.length * lengths[0]);
}

// The nearest of a level's codes to r; of equal ones the first. costs: r's products with all of them, within the bound of float32's.
RS_BF16 int64_t nearest(const float* base, const float* codes, const float* r, int64_t n, int64_t width, float bound, float* costs) {
  __m512 least = _mm512_set1_ps(std::numeric_limits<float>::infinity());
  auto at = [&](int64_t j) RS_BF16 { return costs + j / kPanel * kPanel * kTile + j % kPanel; };
  for (int64_t j = 0; j < n; j += kLanes) {
    __m512 cost = _mm512_loadu_ps(base + j) - _mm512_loadu_ps(at(j)) * 2.0f;
    _mm512_storeu_ps(at(j), cost);
    least = _mm512_min_ps(cost, least);
  }
  __m512 limit = _mm512_set1_ps(_mm512_reduce_min_ps(least) + 2 * bound);
  int64_t best = -1;
  float cost = 0;
  bool known = false;  // the only one that may be the nearest needs no cost
  auto exact = [&](int64_t j) RS_BF16 { return base[j] - 2 * dot(r, codes + j * width, width); };
  for (int64_t j = 0; j < n; j += kLanes) {
    uint32_t near = _mm512_cmp_ps_mask(_mm512_loadu_ps(at(j)), limit, _CMP_LE_OQ);
    for (; near; near &= near - 1) {
      int64_t next = j + __builtin_ctz(near);
      if (best < 0) {
        best = next;
        continue;
      }
      if (!known) cost = exact(best);
      known = true;
      float other = exact(next);
      if (other < cost) {
        best = next;
        cost = other;
      }
    }
  }
  return std::max<int64_t>(best, 0);  // none where x is no number
}

RS_BF16 void encode_tile(const GreedyCodesCall& c, int64_t row, Room& room) {
  int64_t n = std::min(kTile, c.rows - row), pairs = c.width / 2;
  float* rest = room.rest.data();
  for (int64_t r = 0; r < n; r++) std::copy(c.x + (row + r) * c.dim, c.x + (row + r + 1) * c.dim, rest + r * c.width);
  for (int64_t level = 0; level < c.levels; level++) {
    int64_t first = c.starts[level], size = c.starts[level + 1] - first;
    float bounds[kTile];
    for (int64_t r = 0; r < n; r++) {
      bounds[r] = error_bound(narrow_row(rest + r * c.width, c.width, room.narrow.data() + r * c.width), c.lengths + level * 2, c.width);
    }
    for (int64_t j = 0; j < size; j += kPanel) {
      pair_tile<kTile>(reinterpret_cast<const Pair*>(room.narrow.data()), pairs, 1, c.packed + (first + j) * pairs, pairs, room.costs.data() + j * kTile, kPanel, false);
    }
    for (int64_t r = 0; r < n; r++) {
      const float *codes = c.codes + first * c.width;
      int64_t code = nearest(c.base + first, codes, rest + r * c.width, size, c.width, bounds[r], room.costs.data() + r * kPanel);
      c.to[(row + r) * c.levels + level] = static_cast<uint16_t>(code);
      for (int64_t i = 0; i < c.width; i += kLanes) {
        _mm512_storeu_ps(rest + r * c.width + i, _mm512_loadu_ps(rest + r * c.width + i) - _mm512_loadu_ps(codes + code * c.width + i));
      }
    }
  }
}

}  // namespace

RS_EXPORT int32_t rs_greedy_codes_here() { return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16"); }

// Panels of 32 codes: [total / 32][width / 2][32] pairs.
RS_EXPORT void rs_pack_codes(const float* codes, int64_t total, int64_t width, uint32_t* packed) {
  for (int64_t j = 0; j < total; j += kPanel) pack_transposed(codes, total, width, j / kPanel, packed + j * width / 2);
}

// Fewer rows are one thread's: a request of a server that answers others meanwhile.
constexpr int64_t kShared = 512;

RS_EXPORT void rs_greedy_codes(const GreedyCodesCall* call) {
  const GreedyCodesCall& c = *call;
  int64_t widest = widest_level(c.starts, c.levels);
#pragma omp parallel if (c.rows > kShared)
  {
    Room room;
    room.rest.resize(static_cast<size_t>(kTile * c.width));
    room.narrow.resize(static_cast<size_t>(kTile * c.width));
    room.costs.resize(static_cast<size_t>(kTile * widest));
#pragma omp for schedule(static)
    for (int64_t row = 0; row < c.rows; row += kTile) encode_tile(c, row, room);
  }
}
