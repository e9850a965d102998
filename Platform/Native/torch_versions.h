// What libtorch 1.13 to 2.14 spell differently, in one place each; abi.h has the version test itself.
#pragma once

#include "abi.h"

#include <ATen/Context.h>
#include <ATen/TensorIndexing.h>
#include <ATen/autocast_mode.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/function.h>

#include <limits>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace recsys {

// ---- autocast: a state a device type since 2.4, one for the CPU and one for CUDA before ----

inline bool autocast_enabled(c10::DeviceType type) {
#if RS_TORCH_AT_LEAST(2, 4)
  return at::autocast::is_autocast_enabled(type);
#else
  return type == c10::DeviceType::CPU ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
#endif
}

inline at::ScalarType autocast_dtype(c10::DeviceType type) {
#if RS_TORCH_AT_LEAST(2, 4)
  return at::autocast::get_autocast_dtype(type);
#else
  return type == c10::DeviceType::CPU ? at::autocast::get_autocast_cpu_dtype() : at::autocast::get_autocast_gpu_dtype();
#endif
}

inline void set_autocast(c10::DeviceType type, bool enabled, at::ScalarType dtype) {
#if RS_TORCH_AT_LEAST(2, 4)
  at::autocast::set_autocast_enabled(type, enabled);
  at::autocast::set_autocast_dtype(type, dtype);
#else
  if (type == c10::DeviceType::CPU) {
    at::autocast::set_cpu_enabled(enabled);
    at::autocast::set_autocast_cpu_dtype(dtype);
  } else {
    at::autocast::set_enabled(enabled);
    at::autocast::set_autocast_gpu_dtype(dtype);
  }
#endif
}

// ---- NNPACK: has a switch since 2.3, and no word for its absence before ----

inline void leave_out_nnpack() {
#if RS_TORCH_AT_LEAST(2, 3)
  at::globalContext().setUserEnabledNNPACK(false);
#endif
}

// ---- slices: symbolic bounds since 2.0, integers before; c10::optional became another name of std::optional within 2.2, and is gone from later ones ----

#if RS_TORCH_AT_LEAST(2, 3)
using SliceBound = std::optional<c10::SymInt>;
#elif RS_TORCH_AT_LEAST(2, 0)
using SliceBound = c10::optional<c10::SymInt>;
#else
using SliceBound = c10::optional<int64_t>;
#endif

// The least integer stands for a bound that was left out.
inline at::indexing::Slice slice(const int64_t* bounds) {
  auto bound = [](int64_t v) { return v == std::numeric_limits<int64_t>::min() ? SliceBound() : SliceBound(v); };
  return at::indexing::Slice(bound(bounds[0]), bound(bounds[1]), bound(bounds[2]));
}

// ---- nodes of the autograd graph: counted by a shared_ptr up to 2.11, by themselves after; an edge tells which ----

using NodePointer = decltype(torch::autograd::Edge::function);

template <typename T, typename... Args>
auto make_node(Args&&... args) {
  if constexpr (std::is_same_v<NodePointer, std::shared_ptr<torch::autograd::Node>>) {
    return std::shared_ptr<T>(new T(std::forward<Args>(args)...), [](auto* node) { deleteNode(node); });  // by argument: newer ones lack it
  } else {
    return c10::make_intrusive<T>(std::forward<Args>(args)...);
  }
}

// ---- warnings: a class of their own since 2.0 ----

struct SilentHandler : c10::WarningHandler {
#if RS_TORCH_AT_LEAST(2, 0)
  void process(const c10::Warning&) override {}
#else
  void process(const c10::SourceLocation&, const std::string&, const bool) override {}
#endif
};

#if RS_TORCH_AT_LEAST(2, 0)
using WarningHandlerGuard = c10::WarningUtils::WarningHandlerGuard;
#else
using WarningHandlerGuard = c10::Warning::WarningHandlerGuard;
#endif

}  // namespace recsys
