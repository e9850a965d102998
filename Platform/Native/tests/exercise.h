// What the exercises stand on: a check that ends the program with the place and the last error, owned tensors, calls by name.
#pragma once

#include "exports.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace {

int checks = 0;

#define CHECK(condition)                                                                                                  \
  do {                                                                                                                    \
    checks++;                                                                                                             \
    if (!(condition)) {                                                                                                   \
      char text_[512] = "";                                                                                               \
      rs_last_error(text_, 511);                                                                                          \
      std::printf("%s:%d: %s does not hold; last error: %s\n", __FILE__, __LINE__, #condition, text_);                    \
      std::exit(1);                                                                                                       \
    }                                                                                                                     \
  } while (false)

void* handle(const Out& out) {
  CHECK(out.kind == recsys::kTensor);
  return reinterpret_cast<void*>(out.payload);
}

Arg arg(void* tensor) { return {recsys::kTensor, 0, reinterpret_cast<int64_t>(tensor)}; }
Arg arg(int64_t v) { return {recsys::kInt, 0, v}; }
Arg arg(std::vector<int64_t>& v) { return {recsys::kIntList, static_cast<int32_t>(v.size()), reinterpret_cast<int64_t>(v.data())}; }

// An owned tensor.
struct T {
  void* h = nullptr;
  T() = default;
  explicit T(void* owned) : h(owned) {}
  T(T&& other) noexcept : h(other.h) { other.h = nullptr; }
  T(const T&) = delete;
  ~T() { rs_tensor_free(h); }
};

T floats(std::vector<float> v, std::vector<int64_t> sizes, bool grad = false) {
  Out out{};
  CHECK(rs_tensor_from_bytes(v.data(), static_cast<int64_t>(v.size() * 4), sizes.data(), static_cast<int32_t>(sizes.size()), 6, &out) == 0);
  T t(handle(out));
  if (grad) CHECK(rs_tensor_set_requires_grad(t.h, 1) == 0);
  return t;
}

std::vector<float> values(void* h) {
  Description d;
  CHECK(rs_tensor_describe(h, &d, nullptr, nullptr, 0) == 0);
  std::vector<float> v(static_cast<size_t>(d.numel));
  CHECK(rs_tensor_to_bytes(h, v.data(), d.numel * 4) == 0);
  return v;
}

void* op(const char* name, const char* overload = "") {
  void* found = nullptr;
  CHECK(rs_op_find(name, overload, &found) == 0 && found != nullptr);
  return found;
}

T call(void* o, std::vector<Arg> arguments) {
  Out out{};
  int32_t n = 0;
  CHECK(rs_op_call(o, arguments.data(), static_cast<int32_t>(arguments.size()), &out, 1, &n) == 0 && n == 1);
  return T(handle(out));
}

}  // namespace
