// What a softmax over rows of scores is made of, and memory of a thread for it.
#pragma once

#include "vector.h"

#include <cmath>
#include <vector>

namespace recsys {
namespace {

// e^(x − the largest) in place; returns their sum.
RS_VECTOR float exponentials(float* x, int64_t n, float* top) {
  Floats high = all(-INFINITY);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) high = load(x + i) > high ? load(x + i) : high;
  float highest = largest(high);
  for (int64_t j = i; j < n; j++) highest = std::max(highest, x[j]);
  float padding[kLanes];
  std::fill(padding, padding + kLanes, -INFINITY);
  std::copy(x + i, x + n, padding);
  Floats sums{};
  for (int64_t j = 0; j < i; j += kLanes) {
    Floats e = exp_negative(load(x + j) - highest);
    store(x + j, e);
    sums += e;
  }
  float rest = 0;
  if (i < n) {
    store(padding, exp_negative(load(padding) - highest));
    std::copy(padding, padding + (n - i), x + i);
    for (int64_t j = i; j < n; j++) rest += x[j];
  }
  *top = highest;
  return sum(sums) + rest;
}

RS_VECTOR void subtract(float* x, float value, int64_t n) {
  for (int64_t i = 0; i < n; i++) x[i] -= value;
}

struct Room {
  std::vector<float> memory;
  float* of(int64_t floats) {  // from the start of a cache line
    if (static_cast<int64_t>(memory.size()) < floats + kLanes) memory.resize(static_cast<size_t>(floats + kLanes));
    return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64);
  }
};

}  // namespace
}  // namespace recsys
