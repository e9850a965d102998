// A pre-norm transformer read forward alone, in float32 or with products of bf16 summed in float32: what decoding asks for. A row is one
// token; it looks back at any rows of a store of keys and values, so that the prefixes of a search, of whatever user, are one batch, and a beam continues another without a copy.
// What comes out of a row does not depend on the rows beside it, to the last bit.
#include "panels.h"
#include "softmax.h"

#include <omp.h>

#include <cmath>

namespace recsys {
namespace {

constexpr int64_t kChunk = 32;  // rows that one thread takes at a time

RS_VECTOR void add_bias(float* x, const float* bias, int64_t n) {
  for (int64_t i = 0; i < n; i++) x[i] += bias[i];
}

RS_VECTOR void add_branch(float* x, const float* branch, const float* bias, int64_t n) {
  for (int64_t i = 0; i < n; i++) x[i] += branch[i] + bias[i];
}

// Σ a[i] b[i], sixteen lanes and then what is left: an order of additions that no address decides.
RS_VECTOR float product(const float* a, const float* b, int64_t n) {
  Floats lanes{};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) lanes += load(a + i) * load(b + i);
  float total = sum(lanes);
  for (; i < n; i++) total += a[i] * b[i];
  return total;
}

RS_VECTOR void normalise(const float* x, const float* gain, const float* shift, float eps, int64_t n, float* y) {
  Floats lanes{};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) lanes += load(x + i);
  float mean = sum(lanes);
  for (; i < n; i++) mean += x[i];
  mean /= static_cast<float>(n);
  for (i = 0; i < n; i++) y[i] = x[i] - mean;
  float scale = 1 / std::sqrt(product(y, y, n) / static_cast<float>(n) + eps);
  for (i = 0; i < n; i++) y[i] = y[i] * scale * gain[i] + shift[i];
}

// GELU(x + bias) in place, n a multiple of 16; Φ by Abramowitz and Stegun 7.1.26, to 1e-7.
RS_VECTOR void activate(float* x, const float* bias, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) {
    Floats v = load(x + i) + load(bias + i);
    Floats size = v < 0.0f ? -v : v;
    Floats t = 1.0f / (size * (0.3275911f * 0.70710678f) + 1.0f);
    Floats tail = ((((t * 0.5307027145f - 0.7265760135f) * t + 0.7107068705f) * t - 0.142248368f) * t + 0.127414796f) * t * exp_negative(v * v * -0.5f);
    store(x + i, v * (v > 0.0f ? 1.0f - tail : tail));  // the tail is Φ(−|v|)
  }
}

RS_VECTOR void add_scaled(float* to, const float* x, float scale, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] += scale * x[i];
}

}  // namespace
}  // namespace recsys

using namespace recsys;

// Kept in step with Recsys.Torch.Kernels.BlockWeights. The matrices are in panels (panels.cpp), biases padded to whole panels.
struct BlockWeights {
  const float *gain1, *shift1, *qkv, *qkv_bias, *output, *output_bias, *gain2, *shift2, *up, *up_bias, *down, *down_bias;
};

// Kept in step with Recsys.Torch.Kernels.BlocksCall.
struct BlocksCall {
  int64_t rows, dim, heads, width, hidden, layers;
  int64_t first;               // store row of the first row: this call fills first to first + rows − 1
  const BlockWeights* blocks;  // [layers]
  const float *gain, *shift;   // of the norm behind the last block
  float eps;
  float* store;                // [store rows][layers][2 · heads · width] keys, then values
  const int64_t* offsets;      // [rows + 1]
  const int32_t* seen;         // [offsets[rows]] store rows that each row looks at, at least one; before this call's, or of it
  const int32_t* wanted;       // [wanted_count] rows whose results are asked for: the last block computes no other; null: all
  int64_t wanted_count;
  int64_t half;                // whether the matrices are bf16
};

namespace {

// What each row reads, by its queries, into [heads · width].
void attend(const BlocksCall& c, const float* store, int64_t row, const float* queries, float* weights, float* read) {
  int64_t all = c.heads * c.width, stride = c.layers * 2 * all, count = c.offsets[row + 1] - c.offsets[row];
  const int32_t* seen = c.seen + c.offsets[row];
  float scale = 1 / std::sqrt(static_cast<float>(c.width)), top;
  std::fill(read, read + all, 0.0f);
  for (int64_t h = 0; h < all; h += c.width) {
    for (int64_t j = 0; j < count; j++) weights[j] = product(queries + h, store + seen[j] * stride + h, c.width) * scale;
    float share = 1 / exponentials(weights, count, &top);
    for (int64_t j = 0; j < count; j++) add_scaled(read + h, store + seen[j] * stride + all + h, weights[j] * share, c.width);
  }
}

}  // namespace

// x: [rows, dim] what goes in; becomes what comes out of the norm behind the last block, where that is asked for.
RS_EXPORT void rs_blocks(const BlocksCall* call, float* x) {
  const BlocksCall& c = *call;
  int64_t all = c.heads * c.width, wide = whole(3 * all), dim = whole(c.dim), hidden = whole(c.hidden);
  int64_t longest = 1;
  for (int64_t row = 0; row < c.rows; row++) longest = std::max(longest, c.offsets[row + 1] - c.offsets[row]);
  static thread_local Room shared;
  float* queries = shared.of(c.rows * all);
#pragma omp parallel
  {
    static thread_local Room own;
    int64_t widest = (std::max(c.dim, std::max(all, c.hidden)) + 1) / 2;
    float *normed = own.of(kChunk * (c.dim + wide + all + dim + hidden + widest) + longest), *projected = normed + kChunk * c.dim, *read = projected + kChunk * wide;
    float *branch = read + kChunk * all, *up = branch + kChunk * dim, *room = up + kChunk * hidden, *weights = room + kChunk * widest;
    bool half = c.half != 0;
    for (int64_t layer = 0; layer < c.layers; layer++) {
      const BlockWeights& w = c.blocks[layer];
      const int32_t* only = layer + 1 == c.layers ? c.wanted : nullptr;
      int64_t count = only ? c.wanted_count : c.rows;
      float* store = c.store + layer * 2 * all;
#pragma omp for schedule(static)
      for (int64_t from = 0; from < c.rows; from += kChunk) {
        int64_t n = std::min(kChunk, c.rows - from), tiled = (n + 3) / 4 * 4;
        for (int64_t r = 0; r < n; r++) normalise(x + (from + r) * c.dim, w.gain1, w.shift1, c.eps, c.dim, normed + r * c.dim);
        apply(normed, c.dim, w.qkv, tiled, c.dim, 3 * all, projected, wide, room, half);
        for (int64_t r = 0; r < n; r++) {
          float* p = projected + r * wide;
          add_bias(p, w.qkv_bias, 3 * all);
          std::copy(p, p + all, queries + (from + r) * all);
          std::copy(p + all, p + 3 * all, store + (c.first + from + r) * c.layers * 2 * all);
        }
      }
#pragma omp for schedule(static)
      for (int64_t from = 0; from < count; from += kChunk) {
        int64_t n = std::min(kChunk, count - from), tiled = (n + 3) / 4 * 4;  // products of one row are slow: what is behind the last counts for nothing
        auto row = [&](int64_t r) { return only ? only[from + r] : from + r; };
        for (int64_t r = 0; r < n; r++) attend(c, store, row(r), queries + row(r) * all, weights, read + r * all);
        apply(read, all, w.output, tiled, all, c.dim, branch, dim, room, half);
        for (int64_t r = 0; r < n; r++) {
          add_branch(x + row(r) * c.dim, branch + r * dim, w.output_bias, c.dim);
          normalise(x + row(r) * c.dim, w.gain2, w.shift2, c.eps, c.dim, normed + r * c.dim);
        }
        apply(normed, c.dim, w.up, tiled, c.dim, c.hidden, up, hidden, room, half);
        for (int64_t r = 0; r < n; r++) activate(up + r * hidden, w.up_bias, hidden);
        apply(up, hidden, w.down, tiled, c.hidden, c.dim, branch, dim, room, half);
        for (int64_t r = 0; r < n; r++) {
          add_branch(x + row(r) * c.dim, branch + r * dim, w.down_bias, c.dim);
          if (layer + 1 == c.layers) normalise(x + row(r) * c.dim, c.gain, c.shift, c.eps, c.dim, x + row(r) * c.dim);
        }
      }
    }
  }
}

// log softmax of x Wᵀ, W [outputs, inputs] in panels, into [rows, outputs].
RS_EXPORT void rs_log_probabilities(const float* x, int64_t rows, int64_t inputs, const float* panels, int64_t outputs, float* to, int64_t half) {
#pragma omp parallel
  {
    static thread_local Room own;
    int64_t wide = whole(outputs);
    float *logits = own.of((kChunk + 1) * wide + kChunk * (inputs + 1) / 2), *powers = logits + kChunk * wide, *room = powers + wide;
#pragma omp for schedule(static)
    for (int64_t from = 0; from < rows; from += kChunk) {
      int64_t n = std::min(kChunk, rows - from);
      apply(x + from * inputs, inputs, panels, n, inputs, outputs, logits, wide, room, half != 0);
      for (int64_t r = 0; r < n; r++) {
        float* row = to + (from + r) * outputs;
        float top;
        std::copy(logits + r * wide, logits + r * wide + outputs, row);
        std::copy(row, row + outputs, powers);
        float total = exponentials(powers, outputs, &top);
        subtract(row, top + std::log(total), outputs);
      }
    }
  }
}
