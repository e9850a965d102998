// Attention over sequences of different lengths laid end to end, on the CPU. Neither the scores nor a mask ever exist as a
// tensor: a block of query rows is scored against its own sequence's keys in cache, and backward scores it again from the saved
// log-sum-exp (Dao et al. 2022, FlashAttention; Rabe and Staats 2021). Memory is linear in the tokens, padding costs nothing.
#include "abi.h"
#include "vector.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

namespace recsys {
namespace {

constexpr int64_t kRows = 32;  // query rows that are scored together

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

// One row of scores becomes weights; what lies behind `seen` becomes 0. Returns the log of the sum of exponentials.
RS_VECTOR float soften(float* scores, int64_t seen, int64_t padded) {
  for (int64_t j = seen; j < padded; j++) scores[j] = -1e30f;
  Floats top = all(-1e30f);
  for (int64_t j = 0; j < padded; j += kLanes) {
    Floats s = load(scores + j);
    top = s > top ? s : top;
  }
  float highest = top[0];
  for (int i = 1; i < kLanes; i++) highest = std::max(highest, top[i]);
  Floats sums{};
  for (int64_t j = 0; j < padded; j += kLanes) {
    Floats e = exp_negative(load(scores + j) - highest);
    store(scores + j, e);
    sums += e;
  }
  float total = sum(sums);
  Floats share = all(1 / total);
  for (int64_t j = 0; j < padded; j += kLanes) store(scores + j, load(scores + j) * share);
  for (int64_t j = seen; j < padded; j++) scores[j] = 0;
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

RS_VECTOR void widen_row(const float* in, float* out, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = in[i];
}
RS_VECTOR void widen_row(const at::BFloat16* in, float* out, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = widen(in[i]);
}
RS_VECTOR void narrow_row(const float* in, float* out, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = in[i];
}
RS_VECTOR void narrow_row(const float* in, at::BFloat16* out, int64_t n) {
  for (int64_t i = 0; i < n; i++) narrow(in[i], out[i]);
}

// [tokens, heads, width] of some tensor, its last dimension dense.
template <typename T>
struct Heads {
  T* data;
  int64_t token, head;  // strides
  T* at(int64_t t, int64_t h) const { return data + t * token + h * head; }
};

template <typename T>
Heads<T> heads_of(const at::Tensor& x) {
  return {x.data_ptr<T>(), x.stride(0), x.stride(1)};
}

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
  const int64_t* queries;  // [sequences + 1] where each sequence's rows start
  const int64_t* keys;
  int64_t sequences;
};

// Rows of one sequence and head, widened, zero behind the width.
template <typename T>
void gather(const Heads<T>& x, int64_t first, int64_t n, int64_t head, int64_t width, float* out) {
  int64_t wide = padded(width);
  for (int64_t i = 0; i < n; i++) {
    widen_row(x.at(first + i, head), out + i * wide, width);
    std::fill(out + i * wide + width, out + (i + 1) * wide, 0.0f);
  }
}

void transpose(const float* in, int64_t n, int64_t wide, float* out) {  // [n, wide] to [wide, padded n]
  int64_t ld = padded(n);
  for (int64_t d = 0; d < wide; d++) {
    for (int64_t i = 0; i < n; i++) out[d * ld + i] = in[i * wide + d];
    std::fill(out + d * ld + n, out + (d + 1) * ld, 0.0f);
  }
}

template <typename T>
void scatter(const float* in, const Heads<T>& x, int64_t first, int64_t n, int64_t head, int64_t width) {
  for (int64_t i = 0; i < n; i++) narrow_row(in + i * padded(width), x.at(first + i, head), width);
}

template <typename T>
void forward_one(const Shape& s, int64_t sequence, int64_t head, Heads<T> q, Heads<T> k, Heads<T> v, Heads<T> out, float* lse) {
  int64_t q0 = s.queries[sequence], nq = s.queries[sequence + 1] - q0;
  int64_t k0 = s.keys[sequence], nk = s.keys[sequence + 1] - k0;
  int64_t wide = padded(s.width), ld = padded(nk);
  auto& room = scratch();
  room.reserve(nk * wide * 2 + wide * ld + kRows * (2 * wide + ld));
  float *key = room.take(nk * wide), *value = room.take(nk * wide), *turned = room.take(wide * ld);
  float *query = room.take(kRows * wide), *read = room.take(kRows * wide), *scores = room.take(kRows * ld);
  gather(k, k0, nk, head, s.width, key);
  gather(v, k0, nk, head, s.width, value);
  transpose(key, nk, wide, turned);
  for (int64_t i0 = 0; i0 < nq; i0 += kRows) {
    int64_t rows = std::min(kRows, nq - i0);
    int64_t reach = s.causal ? std::min(nk, i0 + rows) : nk;
    gather(q, q0 + i0, rows, head, s.width, query);
    for (int64_t i = 0; i < rows * wide; i++) query[i] *= s.scale;
    multiply(query, wide, 1, turned, ld, scores, ld, rows, padded(reach), wide, false);
    for (int64_t i = 0; i < rows; i++) {
      lse[q0 + i0 + i] = soften(scores + i * ld, s.causal ? std::min(nk, i0 + i + 1) : nk, padded(reach));
    }
    multiply(scores, ld, 1, value, wide, read, wide, rows, wide, reach, false);
    scatter(read, out, q0 + i0, rows, head, s.width);
  }
}

template <typename T>
void backward_one(const Shape& s, int64_t sequence, int64_t head, Heads<T> q, Heads<T> k, Heads<T> v, Heads<T> dout,
                  const float* lse, Heads<T> dq, Heads<T> dk, Heads<T> dv) {
  int64_t q0 = s.queries[sequence], nq = s.queries[sequence + 1] - q0;
  int64_t k0 = s.keys[sequence], nk = s.keys[sequence + 1] - k0;
  int64_t wide = padded(s.width), ld = padded(nk);
  auto& room = scratch();
  room.reserve(nk * wide * 4 + 2 * wide * ld + kRows * (3 * wide + 2 * ld));
  float *key = room.take(nk * wide), *value = room.take(nk * wide), *turned_key = room.take(wide * ld), *turned_value = room.take(wide * ld);
  float *key_gradient = room.take(nk * wide), *value_gradient = room.take(nk * wide);
  float *query = room.take(kRows * wide), *incoming = room.take(kRows * wide), *query_gradient = room.take(kRows * wide);
  float *weights = room.take(kRows * ld), *gradient = room.take(kRows * ld);
  gather(k, k0, nk, head, s.width, key);
  gather(v, k0, nk, head, s.width, value);
  transpose(key, nk, wide, turned_key);
  transpose(value, nk, wide, turned_value);
  std::fill(key_gradient, key_gradient + nk * wide, 0.0f);
  std::fill(value_gradient, value_gradient + nk * wide, 0.0f);
  for (int64_t i0 = 0; i0 < nq; i0 += kRows) {
    int64_t rows = std::min(kRows, nq - i0);
    int64_t reach = s.causal ? std::min(nk, i0 + rows) : nk;
    gather(q, q0 + i0, rows, head, s.width, query);
    gather(dout, q0 + i0, rows, head, s.width, incoming);
    multiply(query, wide, 1, turned_key, ld, weights, ld, rows, padded(reach), wide, false);
    for (int64_t i = 0; i < rows * ld; i++) weights[i] *= s.scale;
    multiply(incoming, wide, 1, turned_value, ld, gradient, ld, rows, padded(reach), wide, false);
    for (int64_t i = 0; i < rows; i++) {
      weigh(weights + i * ld, lse[q0 + i0 + i], s.causal ? std::min(nk, i0 + i + 1) : nk, padded(reach));
    }
    multiply(weights, 1, ld, incoming, wide, value_gradient, wide, reach, wide, rows, true);
    for (int64_t i = 0; i < rows; i++) soften_back(weights + i * ld, gradient + i * ld, s.scale, padded(reach));
    multiply(gradient, ld, 1, key, wide, query_gradient, wide, rows, wide, reach, false);
    multiply(gradient, 1, ld, query, wide, key_gradient, wide, reach, wide, rows, true);
    scatter(query_gradient, dq, q0 + i0, rows, head, s.width);
  }
  scatter(key_gradient, dk, k0, nk, head, s.width);
  scatter(value_gradient, dv, k0, nk, head, s.width);
}

// Every (sequence, head) owns its rows of every result, so that threads share nothing and their number changes no bit.
template <typename Body>
void each(const Shape& s, Body&& body) {
  at::parallel_for(0, s.sequences * s.heads, 4, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i++) body(i / s.heads, i % s.heads);
  });
}

Shape shape_of(const at::Tensor& q, const at::Tensor& queries, const at::Tensor& keys, bool causal, double scale) {
  return {q.size(1), q.size(2), causal, static_cast<float>(scale), queries.data_ptr<int64_t>(), keys.data_ptr<int64_t>(), queries.numel() - 1};
}

void check_offsets(const at::Tensor& offsets, int64_t tokens, const char* name) {
  TORCH_CHECK(offsets.device().is_cpu() && offsets.scalar_type() == at::kLong && offsets.dim() == 1 && offsets.numel() >= 1 && offsets.is_contiguous(),
              name, " must be a dense one-dimensional int64 tensor on the CPU of at least one element");
  auto* at = offsets.data_ptr<int64_t>();
  TORCH_CHECK(at[0] == 0 && at[offsets.numel() - 1] == tokens, name, " must run from 0 to the ", tokens, " tokens");
  for (int64_t i = 1; i < offsets.numel(); i++) TORCH_CHECK(at[i] >= at[i - 1], name, " must not fall: ", at[i - 1], ", then ", at[i]);
}

void check_heads(const at::Tensor& x, const char* name) {
  TORCH_CHECK(x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) && x.dim() == 3 && x.size(1) > 0 && x.size(2) > 0,
              name, " must be [tokens, heads, width] in float32 or bfloat16 on the CPU");
}

at::Tensor dense_rows(const at::Tensor& x) { return x.stride(2) == 1 ? x : x.contiguous(); }

template <typename Body>
void typed(const at::Tensor& x, Body&& body) {
  if (x.scalar_type() == at::kBFloat16) {
    body(at::BFloat16{});
  } else {
    body(float{});
  }
}

// out: [tokens, heads, width]; the log-sum-exp: [heads, tokens].
std::pair<at::Tensor, at::Tensor> attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Shape& s) {
  auto out = at::empty(q.sizes(), q.options());
  auto lse = at::empty({q.size(1), q.size(0)}, q.options().dtype(at::kFloat));
  typed(q, [&](auto kind) {
    using T = decltype(kind);
    auto hq = heads_of<T>(q), hk = heads_of<T>(k), hv = heads_of<T>(v), ho = heads_of<T>(out);
    auto* logs = lse.data_ptr<float>();
    each(s, [&](int64_t sequence, int64_t head) { forward_one<T>(s, sequence, head, hq, hk, hv, ho, logs + head * q.size(0)); });
  });
  return {out, lse};
}

void attend_back(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& dout, const at::Tensor& lse, const Shape& s,
                 const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv) {
  typed(q, [&](auto kind) {
    using T = decltype(kind);
    auto hq = heads_of<T>(q), hk = heads_of<T>(k), hv = heads_of<T>(v), hd = heads_of<T>(dout);
    auto gq = heads_of<T>(dq), gk = heads_of<T>(dk), gv = heads_of<T>(dv);
    const auto* logs = lse.data_ptr<float>();
    each(s, [&](int64_t sequence, int64_t head) { backward_one<T>(s, sequence, head, hq, hk, hv, hd, logs + head * q.size(0), gq, gk, gv); });
  });
}

void once_only(const char* name) {
  TORCH_CHECK(!at::GradMode::is_enabled(), name, " has a first derivative only; compose it of products and a softmax where create_graph is needed");
}

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Attention : torch::autograd::Function<Attention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, const at::Tensor& queries,
                            const at::Tensor& keys, bool causal, double scale) {
    at::AutoDispatchBelowADInplaceOrView below;
    auto q = dense_rows(query), k = dense_rows(key), v = dense_rows(value);
    auto [out, lse] = attend(q, k, v, shape_of(q, queries, keys, causal, scale));
    context->save_for_backward({q, k, v, lse, queries, keys});
    context->saved_data["causal"] = causal;
    context->saved_data["scale"] = scale;
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    once_only("attention over offsets");
    auto saved = context->get_saved_variables();
    auto &q = saved[0], &k = saved[1], &v = saved[2];
    auto dout = dense_rows(gradients[0].to(q.scalar_type()));
    auto dq = at::empty(q.sizes(), q.options()), dk = at::empty(k.sizes(), k.options()), dv = at::empty(v.sizes(), v.options());
    attend_back(q, k, v, dout, saved[3], shape_of(q, saved[4], saved[5], context->saved_data["causal"].toBool(), context->saved_data["scale"].toDouble()), dq, dk, dv);
    return {dq, dk, dv, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

// One gradient for one input: three views' gradients would each be a zero-filled tensor to add up.
struct SelfAttention : torch::autograd::Function<SelfAttention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& packed, const at::Tensor& offsets, bool causal, double scale) {
    at::AutoDispatchBelowADInplaceOrView below;
    auto qkv = packed.contiguous();
    auto q = qkv.select(1, 0);
    auto [out, lse] = attend(q, qkv.select(1, 1), qkv.select(1, 2), shape_of(q, offsets, offsets, causal, scale));
    context->save_for_backward({qkv, lse, offsets});
    context->saved_data["causal"] = causal;
    context->saved_data["scale"] = scale;
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    once_only("self-attention over offsets");
    auto saved = context->get_saved_variables();
    auto &qkv = saved[0];
    auto q = qkv.select(1, 0);
    auto dout = dense_rows(gradients[0].to(qkv.scalar_type()));
    auto dqkv = at::empty(qkv.sizes(), qkv.options());
    attend_back(q, qkv.select(1, 1), qkv.select(1, 2), dout, saved[1],
                shape_of(q, saved[2], saved[2], context->saved_data["causal"].toBool(), context->saved_data["scale"].toDouble()), dqkv.select(1, 0),
                dqkv.select(1, 1), dqkv.select(1, 2));
    return {dqkv, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& queries, const at::Tensor& keys, bool causal, double scale) {
  check_heads(q, "query");
  check_heads(k, "key");
  check_heads(v, "value");
  TORCH_CHECK(k.sizes() == v.sizes() && k.size(1) == q.size(1) && k.size(2) == q.size(2) && k.scalar_type() == q.scalar_type() && v.scalar_type() == q.scalar_type(),
              "query ", q.sizes(), ", key ", k.sizes(), " and value ", v.sizes(), " must agree in heads, width and dtype, key and value in tokens too");
  check_offsets(queries, q.size(0), "query offsets");
  check_offsets(keys, k.size(0), "key offsets");
  TORCH_CHECK(queries.numel() == keys.numel(), "there are ", queries.numel() - 1, " query sequences and ", keys.numel() - 1, " key sequences");
  for (int64_t i = 1; i < keys.numel(); i++) {
    auto *a = queries.data_ptr<int64_t>(), *b = keys.data_ptr<int64_t>();
    TORCH_CHECK(b[i] > b[i - 1] || a[i] == a[i - 1], "sequence ", i - 1, " has queries and no key");
  }
  return Attention::apply(q, k, v, queries, keys, causal, scale);
}

at::Tensor self_attention(const at::Tensor& qkv, const at::Tensor& offsets, bool causal, double scale) {
  TORCH_CHECK(qkv.dim() == 4 && qkv.size(1) == 3, "qkv must be [tokens, 3, heads, width], it is ", qkv.sizes());
  check_heads(qkv.select(1, 0), "qkv");
  check_offsets(offsets, qkv.size(0), "offsets");
  return SelfAttention::apply(qkv, offsets, causal, scale);
}

}  // namespace
}  // namespace recsys

TORCH_LIBRARY_FRAGMENT(recsys, library) {
  library.def("attention(Tensor query, Tensor key, Tensor value, Tensor query_offsets, Tensor key_offsets, bool causal, float scale) -> Tensor", recsys::attention);
  library.def("self_attention(Tensor qkv, Tensor offsets, bool causal, float scale) -> Tensor", recsys::self_attention);
}
