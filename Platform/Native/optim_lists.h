// What the optimisers share: parameter lists with their gradients and state, cut into chunks for all cores. Dense float or double
// tensors on the CPU take one fused parallel pass that reads gradient and state once; everything else (CUDA, bfloat16, odd strides)
// takes libtorch's operators. A parameter without a gradient is left alone, as in PyTorch.
#pragma once

#include "abi.h"
#include "vector.h"

#include <ATen/Parallel.h>

#include <stdexcept>
#include <vector>

namespace recsys {

constexpr int64_t kChunk = 1 << 14;  // elements: 64 KB of floats

struct Chunk {
  size_t tensor;
  int64_t begin, count;
};

inline std::vector<Chunk> chunks_of(const std::vector<at::Tensor>& tensors) {
  std::vector<Chunk> chunks;
  for (size_t t = 0; t < tensors.size(); t++) {
    for (int64_t at = 0; at < tensors[t].numel(); at += kChunk) {
      chunks.push_back({t, at, std::min(kChunk, tensors[t].numel() - at)});
    }
  }
  return chunks;
}

template <typename Body>
void over(const std::vector<Chunk>& chunks, Body&& body) {
  at::parallel_for(0, static_cast<int64_t>(chunks.size()), 1, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i++) {
      body(i, chunks[static_cast<size_t>(i)]);
    }
  });
}

inline bool plain(const at::Tensor& t, at::ScalarType type) {
  return t.layout() == at::kStrided && t.device().is_cpu() && t.scalar_type() == type && t.is_contiguous();
}

// Parameters that have a gradient, with the matching entries of up to three state lists.
struct Active {
  std::vector<at::Tensor> params, grads;
  std::vector<at::Tensor> state[3];
  std::vector<size_t> index;
  at::ScalarType type = at::kFloat;
  bool fused = true;
};

inline Active collect(void* const* params, int32_t count, std::initializer_list<void* const*> states) {
  required_list(params, count);
  Active a;
  for (int32_t i = 0; i < count; i++) {
    auto p = share(params[i]);
    auto g = p.grad();
    if (!g.defined()) {
      continue;
    }
    if (g.layout() != at::kStrided) {
      throw std::invalid_argument("parameter " + std::to_string(i) + " has a sparse gradient; make its embedding with sparse: false");
    }
    if (g.sizes() != p.sizes()) {
      throw std::invalid_argument("the gradient of parameter " + std::to_string(i) + " has another shape than the parameter");
    }
    if (a.params.empty()) {
      a.type = p.scalar_type();
    }
    bool dense = (a.type == at::kFloat || a.type == at::kDouble) && plain(p, a.type);
    if (dense && !plain(g, a.type) && g.device().is_cpu() && g.scalar_type() == a.type) {
      g = g.contiguous();
    }
    a.fused = a.fused && dense && plain(g, a.type);
    size_t s = 0;
    for (auto* list : states) {
      auto t = list ? share(list[i]) : at::Tensor();
      if (t.defined()) {
        if (t.sizes() != p.sizes()) {
          throw std::invalid_argument("the state of parameter " + std::to_string(i) + " has another shape");
        }
        a.fused = a.fused && plain(t, a.type);
      }
      a.state[s++].push_back(std::move(t));
    }
    a.params.push_back(std::move(p));
    a.grads.push_back(std::move(g));
    a.index.push_back(static_cast<size_t>(i));
  }
  return a;
}

inline void bump(std::vector<at::Tensor>& tensors) {
  for (auto& t : tensors) {
    if (t.defined() && !t.is_inference()) {
      t.unsafeGetTensorImpl()->bump_version();
    }
  }
}

// Raises the step count of every parameter that has a gradient.
inline void advance(const Active& a, int64_t* steps) {
  for (auto i : a.index) steps[i]++;
}

}  // namespace recsys
