// What every export stands on: the guard that lets nothing out, tensor handles, checks of what the caller passed.
//
// Rules: an export returns a Status and lets no C++ exception out (one that crosses into managed code kills the process);
// a tensor handle is one owned reference to a TensorImpl, given back exactly once with rs_tensor_free.
#pragma once

#include "values.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cstdint>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>

#if __has_include(<torch/version.h>)
#include <torch/version.h>
#else
#include <torch/csrc/api/include/torch/version.h>
#endif

#define RS_EXPORT extern "C" __attribute__((visibility("default")))
#define RS_TORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

namespace recsys {

Status fail(Status status, const char* message) noexcept;
Status fail_current() noexcept;  // inside a catch block

at::TensorImpl* release(at::Tensor&& tensor) noexcept;  // to a handle
at::Tensor share(void* handle);                         // a new reference to the handle's tensor; throws on null
void give(at::Tensor&& tensor, Out* out) noexcept;
double bits_to_double(int64_t bits) noexcept;
bool valid_dtype(int64_t dtype) noexcept;
c10::Device to_device(int64_t payload);

// Refuses a null among the pointers that an export cannot do without.
template <typename... P>
void required(P*... pointers) {
  if (((pointers == nullptr) || ...)) {
    throw std::invalid_argument("a null pointer where memory is needed");
  }
}

// Refuses a list of a negative length, or of a length without memory.
template <typename T>
void required_list(const T* list, int64_t count) {
  if (count < 0 || (count > 0 && list == nullptr)) {
    throw std::invalid_argument("a list of " + std::to_string(count) + " entries without memory");
  }
}

template <typename Body>
int32_t guarded(Body&& body) noexcept {
  try {
    body();
    return kOk;
  } catch (...) {
    return fail_current();
  }
}

}  // namespace recsys
