// What the CPU kernels share: sixteen floats at once, chosen instructions, rows in and out of bf16, and counter-based random draws.
// No libtorch: raw pointers and sizes come from C#, which has checked them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#define RS_EXPORT extern "C" __attribute__((visibility("default")))

// Vector instructions are chosen when the library is loaded, so that one binary serves every x86-64.
#define RS_VECTOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define RS_INLINED __attribute__((always_inline))
#define RS_INLINE inline RS_INLINED

namespace recsys {

struct BFloat16 {
  uint16_t x;
};

constexpr int64_t kLanes = 16;
typedef float Floats __attribute__((vector_size(64), aligned(4), may_alias));  // unaligned loads and stores
typedef int32_t Ints __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint16_t Shorts __attribute__((vector_size(32)));

RS_INLINE Floats load(const float* p) { return *reinterpret_cast<const Floats*>(p); }
RS_INLINE void store(float* p, Floats v) { *reinterpret_cast<Floats*>(p) = v; }
RS_INLINE Floats all(float v) { return Floats{} + v; }

typedef float Floats8 __attribute__((vector_size(32)));
typedef float Floats4 __attribute__((vector_size(16)));

// The lanes folded in halves: four steps, where one lane after the other takes sixteen.
template <typename Fold8, typename Fold4, typename Fold>
RS_INLINE float fold(Floats v, Fold8 fold8, Fold4 fold4, Fold last) {
  Floats8 a = fold8(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7), __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
  Floats4 b = fold4(__builtin_shufflevector(a, a, 0, 1, 2, 3), __builtin_shufflevector(a, a, 4, 5, 6, 7));
  return last(last(b[0], b[2]), last(b[1], b[3]));
}

RS_INLINE float sum(Floats v) {
  return fold(v, [](Floats8 a, Floats8 b) RS_INLINED { return a + b; }, [](Floats4 a, Floats4 b) RS_INLINED { return a + b; }, [](float a, float b) RS_INLINED { return a + b; });
}

RS_INLINE float largest(Floats v) {
  return fold(v, [](Floats8 a, Floats8 b) RS_INLINED { return a > b ? a : b; }, [](Floats4 a, Floats4 b) RS_INLINED { return a > b ? a : b; },
              [](float a, float b) RS_INLINED { return a > b ? a : b; });
}

// e^x to 2 units in the last place for x <= 0; below -87 it stays at e^-87. (Cody-Waite reduction, Taylor polynomial of degree 6.)
RS_INLINE Floats exp_negative(Floats x) {
  x = x < -87.0f ? all(-87.0f) : x;
  Floats shifted = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: the integer lands in the low bits
  Floats n = shifted - 12582912.0f;
  Floats r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  Floats p = all(1.0f / 720);
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  Ints bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  Ints scale = (bits << 23) + (127 << 23);
  Floats power;
  std::memcpy(&power, &scale, sizeof power);
  return p * power;
}

RS_INLINE float widen(float v) { return v; }
RS_INLINE float widen(BFloat16 v) {
  uint32_t bits = static_cast<uint32_t>(v.x) << 16;
  float f;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}
RS_INLINE void narrow(float v, float& out) { out = v; }
RS_INLINE void narrow(float v, BFloat16& out) {  // to nearest, ties to even; a NaN keeps a bit of its fraction
  uint32_t bits;
  std::memcpy(&bits, &v, sizeof bits);
  uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  out.x = static_cast<uint16_t>(v != v ? 0x7FC0 : rounded);
}

// Codes of the largest of residual codebooks' levels.
inline int64_t widest_level(const int64_t* starts, int64_t levels) {
  int64_t widest = 0;
  for (int64_t level = 0; level < levels; level++) widest = std::max(widest, starts[level + 1] - starts[level]);
  return widest;
}

// splitmix64: one independent pair of 32-bit keys for each block.
inline uint64_t block_key(uint64_t seed, uint64_t block) {
  uint64_t z = seed + (block + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// Two keyed rounds of an integer finaliser with full avalanche: about four instructions an element once vectorised.
RS_INLINE uint32_t draw(uint32_t i, uint32_t k0, uint32_t k1) {
  uint32_t x = (i + k0) * 0x9E3779B1u;
  x ^= x >> 16;
  x *= 0x7FEB352Du;
  x ^= (x >> 15) ^ k1;
  x *= 0x846CA68Bu;
  x ^= x >> 16;
  return x;
}

// A draw below it drops: P(drop) = threshold / 2^32.
inline uint32_t drop_threshold(double p) { return static_cast<uint32_t>(std::min(p * 4294967296.0, 4294967295.0)); }

// The element type by its number: 0 float, 1 bfloat16.
template <typename Body>
void typed(int32_t type, Body&& body) {
  if (type == 1) {
    body(BFloat16{});
  } else {
    body(float{});
  }
}

}  // namespace recsys
