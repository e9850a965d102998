// Products of float32 matrices, in tiles that stay in registers.
#pragma once

#include "vector.h"

namespace recsys {
namespace {

// c[rows × 16 vectors] (+)= a b, all in registers; a is walked with any strides, so that it may be read transposed.
template <int R, int V>
RS_INLINE void tile(const float* a, int64_t row, int64_t column, const float* b, int64_t ldb, float* c, int64_t ldc, int64_t k, bool add) {
  Floats s[R][V];
  for (int r = 0; r < R; r++) {
    for (int v = 0; v < V; v++) s[r][v] = add ? load(c + r * ldc + v * kLanes) : Floats{};
  }
  for (int64_t i = 0; i < k; i++) {
    Floats x[V];
    for (int v = 0; v < V; v++) x[v] = load(b + i * ldb + v * kLanes);
    for (int r = 0; r < R; r++) {
      Floats y = all(a[r * row + i * column]);
      for (int v = 0; v < V; v++) s[r][v] += y * x[v];
    }
  }
  for (int r = 0; r < R; r++) {
    for (int v = 0; v < V; v++) store(c + r * ldc + v * kLanes, s[r][v]);
  }
}

template <int V>
RS_INLINE void strip(const float* a, int64_t row, int64_t column, const float* b, int64_t ldb, float* c, int64_t ldc, int64_t m, int64_t k, bool add) {
  int64_t i = 0;
  for (; i + 8 <= m; i += 8) tile<8, V>(a + i * row, row, column, b, ldb, c + i * ldc, ldc, k, add);
  for (; i + 4 <= m; i += 4) tile<4, V>(a + i * row, row, column, b, ldb, c + i * ldc, ldc, k, add);
  for (; i < m; i++) tile<1, V>(a + i * row, row, column, b, ldb, c + i * ldc, ldc, k, add);
}

// c[m, n] (+)= a[m, k] b[k, n], n a multiple of 16.
RS_VECTOR void multiply(const float* a, int64_t row, int64_t column, const float* b, int64_t ldb, float* c, int64_t ldc, int64_t m, int64_t n, int64_t k, bool add) {
  int64_t j = 0;
  for (; j + 2 * kLanes <= n; j += 2 * kLanes) strip<2>(a, row, column, b + j, ldb, c + j, ldc, m, k, add);
  for (; j < n; j += kLanes) strip<1>(a, row, column, b + j, ldb, c + j, ldc, m, k, add);
}

}  // namespace
}  // namespace recsys
