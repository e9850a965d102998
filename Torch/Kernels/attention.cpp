// Attention over sequences of different lengths laid end to end, on the CPU. Neither the scores nor a mask ever exist as a
// tensor: a block of query rows is scored against its own sequence's keys in cache, and backward scores it again from the saved
// log-sum-exp (Dao et al. 2022, FlashAttention; Rabe and Staats 2021). Memory is linear in the tokens, padding costs nothing.
#include "products.h"

#include <cmath>
#include <vector>

namespace recsys {
namespace {

constexpr int64_t kRows = 32;  // query rows that are scored together

// One row of scores becomes weights; what lies behind `seen` becomes 0. Returns the log of the sum of exponentials.
RS_VECTOR float soften(float* scores, int64_t seen, int64_t padded) {
  for (int64_t j = seen; j < padded; j++) scores[j] = -1e30f;
  Floats top = all(-1e30f);
  for (int64_t j = 0; j < padded; j += kLanes) {
    Floats s = load(scores + j);
    top = s > top ? s : top;
  }
  float highest = largest(top);
  Floats sums{};
  for (int64_t j = 0; j < padded; j += kLanes) {
    Floats e = exp_negative(load(scores + j) - highest);
    store(scores + j, e);
    sums += e;
  }
  float total = sum(sums);
  Floats share = all(1 / total);
  for (int64_t j = seen; j < padded; j++) scores[j] = 0;  // before the scaling, which would make denormals of them, each worth 100 cycles
  for (int64_t j = 0; j < padded; j += kLanes) store(scores + j, load(scores + j) * share);
  return highest + std::log(total);
}

// The weights again, from the scores and the saved log-sum-exp.
RS_VECTOR void weigh(float* scores, float lse, int64_t seen, int64_t padded) {
  for (int64_t j = 0; j < padded; j += kLanes) store(scores + j, exp_negative(load(scores + j) - lse));
  for (int64_t j = seen; j < padded; j++) scores[j] = 0;
}

// ∂/∂scores = weights · (∂/∂weights − Σ weights · ∂/∂weights) · scale, in place of the weights' gradient.
RS_VECTOR void soften_back(const float* weights, float* gradient, float scale, int64_t padded) {
  Floats sums{};
  for (int64_t j = 0; j < padded; j += kLanes) sums += load(weights + j) * load(gradient + j);
  float mean = sum(sums);
  for (int64_t j = 0; j < padded; j += kLanes) store(gradient + j, load(weights + j) * (load(gradient + j) - mean) * scale);
}

// Rows `stride` apart, widened into rows of `wide` floats, zero behind the width.
template <typename T>
RS_INLINE void widen_all(const T* __restrict in, int64_t stride, int64_t n, int64_t width, int64_t wide, float* __restrict out) {
  for (int64_t i = 0; i < n; i++) {
    for (int64_t d = 0; d < width; d++) out[i * wide + d] = widen(in[i * stride + d]);
    for (int64_t d = width; d < wide; d++) out[i * wide + d] = 0;
  }
}
RS_VECTOR void widen_rows(const float* in, int64_t stride, int64_t n, int64_t width, int64_t wide, float* out) { widen_all(in, stride, n, width, wide, out); }
RS_VECTOR void widen_rows(const BFloat16* in, int64_t stride, int64_t n, int64_t width, int64_t wide, float* out) { widen_all(in, stride, n, width, wide, out); }

template <typename T>
RS_INLINE void narrow_all(const float* __restrict in, int64_t wide, int64_t n, int64_t width, int64_t stride, T* __restrict out) {
  for (int64_t i = 0; i < n; i++) {
    for (int64_t d = 0; d < width; d++) narrow(in[i * wide + d], out[i * stride + d]);
  }
}
RS_VECTOR void narrow_rows(const float* in, int64_t wide, int64_t n, int64_t width, int64_t stride, float* out) { narrow_all(in, wide, n, width, stride, out); }
RS_VECTOR void narrow_rows(const float* in, int64_t wide, int64_t n, int64_t width, int64_t stride, BFloat16* out) { narrow_all(in, wide, n, width, stride, out); }

RS_VECTOR void scale_row(float* x, float scale, int64_t n) {
  for (int64_t i = 0; i < n; i++) x[i] *= scale;
}

// [tokens, heads, width] of some tensor, its last dimension dense.
template <typename T>
struct Heads {
  T* data;
  int64_t token, head;  // strides
  T* at(int64_t t, int64_t h) const { return data + t * token + h * head; }
};

int64_t padded(int64_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

struct Scratch {
  std::vector<float> memory;
  float* next = nullptr;
  void reserve(int64_t floats) {
    if (static_cast<int64_t>(memory.size()) < floats) memory.resize(static_cast<size_t>(floats));
    next = memory.data();
  }
  float* take(int64_t floats) {
    float* p = next;
    next += floats;
    return p;
  }
};

Scratch& scratch() {
  static thread_local Scratch s;
  return s;
}

struct Shape {
  int64_t heads, width;  // of a head
  bool causal;
  float scale;
  const int64_t* offsets;      // [sequences + 1] where each sequence's rows start
  const int64_t* key_offsets;  // [sequences + 1] where its keys and values start: the same, or another tensor's
  const int64_t* visible;      // [rows] keys that each row sees, the first of its sequence's; null: as causal says
  int64_t sequences;

  int64_t seen(int64_t first, int64_t row, int64_t keys) const {
    return visible != nullptr ? visible[first + row] : causal ? std::min(keys, row + 1) : keys;
  }
  // What some rows of a block see at most.
  int64_t reach(int64_t first, int64_t row, int64_t rows, int64_t keys) const {
    int64_t most = 1;
    for (int64_t i = row; i < row + rows; i++) most = std::max(most, seen(first, i, keys));
    return most;
  }
};

// Rows of one sequence and head.
template <typename T>
void gather(const Heads<T>& x, int64_t first, int64_t n, int64_t head, int64_t width, float* out) {
  widen_rows(x.at(first, head), x.token, n, width, padded(width), out);
}

RS_VECTOR void transpose(const float* __restrict in, int64_t n, int64_t wide, float* __restrict out) {  // [n, wide] to [wide, padded n]
  int64_t ld = (n + kLanes - 1) / kLanes * kLanes;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t d = 0; d < wide; d++) out[d * ld + i] = in[i * wide + d];
  }
  for (int64_t d = 0; d < wide; d++) {
    for (int64_t i = n; i < ld; i++) out[d * ld + i] = 0;
  }
}

template <typename T>
void scatter(const float* in, const Heads<T>& x, int64_t first, int64_t n, int64_t head, int64_t width) {
  narrow_rows(in, padded(width), n, width, x.token, x.at(first, head));
}

template <typename T>
void forward_one(const Shape& s, int64_t sequence, int64_t head, Heads<T> q, Heads<T> k, Heads<T> v, Heads<T> out, float* lse) {
  int64_t first = s.offsets[sequence], n = s.offsets[sequence + 1] - first;
  int64_t from = s.key_offsets[sequence], keys = s.key_offsets[sequence + 1] - from;
  int64_t wide = padded(s.width), ld = padded(keys);
  auto& room = scratch();
  room.reserve(keys * wide * 2 + wide * ld + kRows * (2 * wide + ld));
  float *key = room.take(keys * wide), *value = room.take(keys * wide), *turned = room.take(wide * ld);
  float *query = room.take(kRows * wide), *read = room.take(kRows * wide), *scores = room.take(kRows * ld);
  gather(k, from, keys, head, s.width, key);
  gather(v, from, keys, head, s.width, value);
  transpose(key, keys, wide, turned);
  for (int64_t i0 = 0; i0 < n; i0 += kRows) {
    int64_t rows = std::min(kRows, n - i0);
    int64_t reach = s.reach(first, i0, rows, keys);
    gather(q, first + i0, rows, head, s.width, query);
    scale_row(query, s.scale, rows * wide);
    multiply(query, wide, 1, turned, ld, scores, ld, rows, padded(reach), wide, false);
    for (int64_t i = 0; i < rows; i++) {
      lse[first + i0 + i] = soften(scores + i * ld, s.seen(first, i0 + i, keys), padded(reach));
    }
    multiply(scores, ld, 1, value, wide, read, wide, rows, wide, reach, false);
    scatter(read, out, first + i0, rows, head, s.width);
  }
}

template <typename T>
void backward_one(const Shape& s, int64_t sequence, int64_t head, Heads<T> q, Heads<T> k, Heads<T> v, Heads<T> dout,
                  const float* lse, Heads<T> dq, Heads<T> dk, Heads<T> dv) {
  int64_t first = s.offsets[sequence], n = s.offsets[sequence + 1] - first;
  int64_t from = s.key_offsets[sequence], keys = s.key_offsets[sequence + 1] - from;
  int64_t wide = padded(s.width), ld = padded(keys);
  auto& room = scratch();
  room.reserve(keys * wide * 4 + 2 * wide * ld + kRows * (3 * wide + 2 * ld));
  float *key = room.take(keys * wide), *value = room.take(keys * wide);
  float *turned_key = room.take(wide * ld), *turned_value = room.take(wide * ld);
  float *key_gradient = room.take(keys * wide), *value_gradient = room.take(keys * wide);
  float *query = room.take(kRows * wide), *incoming = room.take(kRows * wide), *query_gradient = room.take(kRows * wide);
  float *weights = room.take(kRows * ld), *gradient = room.take(kRows * ld);
  gather(k, from, keys, head, s.width, key);
  gather(v, from, keys, head, s.width, value);
  transpose(key, keys, wide, turned_key);
  transpose(value, keys, wide, turned_value);
  std::fill(key_gradient, key_gradient + keys * wide, 0.0f);
  std::fill(value_gradient, value_gradient + keys * wide, 0.0f);
  for (int64_t i0 = 0; i0 < n; i0 += kRows) {
    int64_t rows = std::min(kRows, n - i0);
    int64_t reach = s.reach(first, i0, rows, keys);
    gather(q, first + i0, rows, head, s.width, query);
    gather(dout, first + i0, rows, head, s.width, incoming);
    multiply(query, wide, 1, turned_key, ld, weights, ld, rows, padded(reach), wide, false);
    scale_row(weights, s.scale, rows * ld);
    multiply(incoming, wide, 1, turned_value, ld, gradient, ld, rows, padded(reach), wide, false);
    for (int64_t i = 0; i < rows; i++) {
      weigh(weights + i * ld, lse[first + i0 + i], s.seen(first, i0 + i, keys), padded(reach));
    }
    multiply(weights, 1, ld, incoming, wide, value_gradient, wide, reach, wide, rows, true);
    for (int64_t i = 0; i < rows; i++) soften_back(weights + i * ld, gradient + i * ld, s.scale, padded(reach));
    multiply(gradient, ld, 1, key, wide, query_gradient, wide, rows, wide, reach, false);
    multiply(gradient, 1, ld, query, wide, key_gradient, wide, reach, wide, rows, true);
    scatter(query_gradient, dq, first + i0, rows, head, s.width);
  }
  scatter(key_gradient, dk, from, keys, head, s.width);
  scatter(value_gradient, dv, from, keys, head, s.width);
}

// Every (sequence, head) owns its rows of every result: threads share nothing, and their number changes no bit.
template <typename Body>
void each(const Shape& s, Body&& body) {
  int64_t tasks = s.sequences * s.heads;
#pragma omp parallel for schedule(dynamic, 4)
  for (int64_t i = 0; i < tasks; i++) body(i / s.heads, i % s.heads);
}

}  // namespace
}  // namespace recsys

using namespace recsys;

// Kept in step with Recsys.Torch.Kernels.AttentionCall.
struct AttentionCall {
  int64_t heads, width, sequences, tokens;
  int32_t causal, type;
  const int64_t* offsets;      // [sequences + 1] where each sequence's queries start
  const int64_t* key_offsets;  // [sequences + 1] where its keys start; at least one each
  const int64_t* visible;      // [tokens] keys that each query sees, the first of its sequence's, at least one; null: all
};

// Rows of one of its three parts.
struct AttentionPart {
  void* data;
  int64_t stride;  // elements from one token to the next
};

namespace {

Shape shape_of(const AttentionCall& c) {
  return {c.heads, c.width, c.causal != 0, 1 / std::sqrt(static_cast<float>(c.width)), c.offsets, c.key_offsets, c.visible, c.sequences};
}

template <typename T>
Heads<T> rows_of(const AttentionCall& c, const AttentionPart& part) {
  return {static_cast<T*>(part.data), part.stride, c.width};
}

}  // namespace

// parts: queries, keys, values; out: [tokens, heads, width]; lse: [heads, tokens].
RS_EXPORT void rs_attention(const AttentionCall* c, const AttentionPart* parts, void* out, float* lse) {
  Shape s = shape_of(*c);
  typed(c->type, [&](auto kind) {
    using T = decltype(kind);
    auto q = rows_of<T>(*c, parts[0]), k = rows_of<T>(*c, parts[1]), v = rows_of<T>(*c, parts[2]);
    Heads<T> o{static_cast<T*>(out), c->heads * c->width, c->width};
    each(s, [&](int64_t sequence, int64_t head) { forward_one<T>(s, sequence, head, q, k, v, o, lse + head * c->tokens); });
  });
}

// dout: [tokens, heads, width]; gradients: of the parts, laid out as they are.
RS_EXPORT void rs_attention_backward(const AttentionCall* c, const AttentionPart* parts, void* dout, const float* lse, const AttentionPart* gradients) {
  Shape s = shape_of(*c);
  typed(c->type, [&](auto kind) {
    using T = decltype(kind);
    auto q = rows_of<T>(*c, parts[0]), k = rows_of<T>(*c, parts[1]), v = rows_of<T>(*c, parts[2]);
    auto dq = rows_of<T>(*c, gradients[0]), dk = rows_of<T>(*c, gradients[1]), dv = rows_of<T>(*c, gradients[2]);
    Heads<T> d{static_cast<T*>(dout), c->heads * c->width, c->width};
    each(s, [&](int64_t sequence, int64_t head) { backward_one<T>(s, sequence, head, q, k, v, d, lse + head * c->tokens, dq, dk, dv); });
  });
}
