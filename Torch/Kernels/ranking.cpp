// States beside a table of item vectors, in float32 or bf16 with sums in float32: all of its rows, or some.
#include "softmax.h"

#include <omp.h>

using namespace recsys;

namespace {

RS_INLINE Floats widened(const float* p) { return load(p); }
RS_INLINE Floats widened(const BFloat16* p) {
  Shorts halves;
  std::memcpy(&halves, p, sizeof halves);
  Ints bits = __builtin_convertvector(halves, Ints) << 16;
  Floats values;
  std::memcpy(&values, &bits, sizeof values);
  return values;
}

// Products of R rows with I table rows, each in the same sixteen lanes whatever R and I are.
template <int R, int I, typename T>
RS_INLINE void dots(const float* x, int64_t dim, const T* table, float* to, int64_t ld) {
  Floats lanes[R][I] = {};
  int64_t d = 0;
  for (; d + kLanes <= dim; d += kLanes) {
    Floats row[R];
    for (int r = 0; r < R; r++) row[r] = load(x + r * dim + d);
    for (int i = 0; i < I; i++) {
      Floats item = widened(table + i * dim + d);
      for (int r = 0; r < R; r++) lanes[r][i] += row[r] * item;
    }
  }
  for (int r = 0; r < R; r++) {
    for (int i = 0; i < I; i++) {
      float total = sum(lanes[r][i]);
      for (int64_t j = d; j < dim; j++) total += x[r * dim + j] * widen(table[i * dim + j]);
      to[r * ld + i] = total;
    }
  }
}

template <int R, typename T>
RS_INLINE void dots(const float* x, int64_t dim, const T* table, int64_t items, float* to, int64_t ld) {
  int64_t i = 0;
  for (; i + 4 <= items; i += 4) dots<R, 4>(x, dim, table + i * dim, to + i, ld);
  for (; i < items; i++) dots<R, 1>(x, dim, table + i * dim, to + i, ld);
}

template <typename T>
RS_INLINE void score_any(const float* x, int64_t rows, int64_t dim, const T* table, int64_t items, float* to, int64_t ld) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) dots<4>(x + r * dim, dim, table, items, to + r * ld, ld);
  for (; r < rows; r++) dots<1>(x + r * dim, dim, table, items, to + r * ld, ld);
}

RS_VECTOR void score(const float* x, int64_t rows, int64_t dim, const float* table, int64_t items, float* to, int64_t ld) {
  score_any(x, rows, dim, table, items, to, ld);
}

RS_VECTOR void score(const float* x, int64_t rows, int64_t dim, const BFloat16* table, int64_t items, float* to, int64_t ld) {
  score_any(x, rows, dim, table, items, to, ld);
}

template <typename T>
void rank(const float* x, int64_t rows, int64_t dim, const T* table, int64_t items, float* to) {
  constexpr int64_t kItems = 256;  // of the table, that stay in the second cache for all rows
#pragma omp parallel
  {
    static thread_local Room own;
    float* powers = own.of(items);
#pragma omp for schedule(static)
    for (int64_t i = 0; i < items; i += kItems) score(x, rows, dim, table + i * dim, std::min(kItems, items - i), to + i, items);
#pragma omp for schedule(static)
    for (int64_t r = 0; r < rows; r++) {
      float top;
      std::copy(to + r * items, to + (r + 1) * items, powers);
      float total = exponentials(powers, items, &top);
      subtract(to + r * items, top + std::log(total), items);
    }
  }
}

// Each product to the last bit what rank has before its softmax.
template <typename T>
RS_INLINE void products_any(const float* x, int64_t dim, const T* table, const int32_t* rows, int64_t count, float* to) {
  constexpr int64_t kAhead = 16;  // the rows lie anywhere: they are asked for before they are needed
  constexpr int64_t kLine = 64 / sizeof(T);
  for (int64_t i = 0; i < count; i++) {
    const T* ahead = table + rows[std::min(i + kAhead, count - 1)] * dim;
    for (int64_t d = 0; d < dim; d += kLine) __builtin_prefetch(ahead + d);
    dots<1, 1>(x, dim, table + rows[i] * dim, to + i, 1);
  }
}

RS_VECTOR void products(const float* x, int64_t dim, const float* table, const int32_t* rows, int64_t count, float* to) {
  products_any(x, dim, table, rows, count, to);
}

RS_VECTOR void products(const float* x, int64_t dim, const BFloat16* table, const int32_t* rows, int64_t count, float* to) {
  products_any(x, dim, table, rows, count, to);
}

}  // namespace

// log softmax of the products of x [rows, dim] with a table [items, dim] of an element type, into [rows, items].
RS_EXPORT void rs_rank(const float* x, int64_t rows, int64_t dim, const void* table, int32_t type, int64_t items, float* to) {
  typed(type, [&](auto element) { rank(x, rows, dim, static_cast<const decltype(element)*>(table), items, to); });
}

// Products of x [dim] with some rows of a table [.., dim] of an element type, into [count].
RS_EXPORT void rs_products(const float* x, int64_t dim, const void* table, int32_t type, const int32_t* rows, int64_t count, float* to) {
  typed(type, [&](auto element) { products(x, dim, static_cast<const decltype(element)*>(table), rows, count, to); });
}
