// Gradients and the thread's grad modes.
#include "abi.h"

#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdlib>
#include <stdexcept>

using namespace recsys;

namespace {
std::vector<at::Tensor> tensors(void* const* handles, int32_t count) {
  required_list(handles, count);
  std::vector<at::Tensor> list;
  list.reserve(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; i++) {
    list.push_back(handles[i] ? share(handles[i]) : at::Tensor());
  }
  return list;
}

void all_defined(const std::vector<at::Tensor>& list, const char* what) {
  for (const auto& t : list) {
    if (!t.defined()) {
      throw std::invalid_argument(std::string("a null tensor among the ") + what);
    }
  }
}
}  // namespace

// retain: -1 = as create_graph. gradients may be absent (count 0) or hold nulls for scalar outputs.
RS_EXPORT int32_t rs_backward(void* const* outputs, int32_t output_count, void* const* gradients, int32_t gradient_count,
                              void* const* inputs, int32_t input_count, int32_t retain, int32_t create_graph) {
  return guarded([&] {
    auto outs = tensors(outputs, output_count);
    auto ins = tensors(inputs, input_count);
    all_defined(outs, "outputs");
    all_defined(ins, "inputs");
    torch::autograd::backward(outs, tensors(gradients, gradient_count), retain < 0 ? create_graph != 0 : retain != 0, create_graph != 0, ins);
  });
}

// results: `input_count` entries; an input that was not used gives kNone where allow_unused.
RS_EXPORT int32_t rs_grad(void* const* outputs, int32_t output_count, void* const* inputs, int32_t input_count, void* const* gradients,
                          int32_t gradient_count, int32_t retain, int32_t create_graph, int32_t allow_unused, Out* results) {
  return guarded([&] {
    required_list(results, input_count);
    auto outs = tensors(outputs, output_count);
    auto ins = tensors(inputs, input_count);
    all_defined(outs, "outputs");
    all_defined(ins, "inputs");
    auto grads = torch::autograd::grad(outs, ins, tensors(gradients, gradient_count), retain < 0 ? create_graph != 0 : retain != 0,
                                       create_graph != 0, allow_unused != 0);
    for (size_t i = 0; i < grads.size(); i++) {
      give(std::move(grads[i]), results + i);
    }
  });
}

RS_EXPORT int32_t rs_tensor_grad(void* handle, Out* result) {
  return guarded([&] { required(result); give(at::Tensor(share(handle).grad()), result); });
}

// A null gradient removes it.
RS_EXPORT int32_t rs_tensor_set_grad(void* handle, void* gradient) {
  return guarded([&] {
    auto t = share(handle);
    if (gradient == nullptr) {
      t.mutable_grad().reset();
      return;
    }
    auto g = share(gradient);
    if (g.sizes() != t.sizes() || g.scalar_type() != t.scalar_type() || g.device() != t.device()) {
      throw std::invalid_argument("a gradient has the shape, dtype and device of its tensor");
    }
    t.mutable_grad() = std::move(g);
  });
}

RS_EXPORT int32_t rs_tensor_set_requires_grad(void* handle, int32_t on) {
  return guarded([&] {
    auto t = share(handle);
    if (on == 0 && !t.is_leaf()) {
      throw std::invalid_argument("only a leaf can stop requiring gradients; use detach()");
    }
    t.set_requires_grad(on != 0);
  });
}

RS_EXPORT int32_t rs_tensor_retain_grad(void* handle) {
  return guarded([&] { share(handle).retain_grad(); });
}

RS_EXPORT int32_t rs_grad_enabled() { return c10::GradMode::is_enabled() ? 1 : 0; }

RS_EXPORT void rs_set_grad_enabled(int32_t on) {
  guarded([&] { c10::GradMode::set_enabled(on != 0); });
}

RS_EXPORT int32_t rs_inference_enabled() { return c10::InferenceMode::is_enabled() ? 1 : 0; }

// Entered and left on the same thread, innermost first.
RS_EXPORT int32_t rs_inference_enter(int32_t on, void** guard) {
  return guarded([&] { required(guard); *guard = new c10::InferenceMode(on != 0); });
}

RS_EXPORT void rs_inference_leave(void* guard) {
  guarded([&] { delete static_cast<c10::InferenceMode*>(guard); });
}
