// Seeds and generators.
#include "abi.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

#include <mutex>
#include <stdexcept>

using namespace recsys;

namespace {
at::Generator& generator(void* handle) {
  if (handle == nullptr) {
    throw std::invalid_argument("a null generator");
  }
  return *static_cast<at::Generator*>(handle);
}
}  // namespace

RS_EXPORT int32_t rs_manual_seed(uint64_t seed) {
  return guarded([&] { at::manual_seed(seed); });
}

RS_EXPORT int32_t rs_generator_new(uint64_t seed, int64_t device, void** result) {
  return guarded([&] {
    required(result);
    auto d = to_device(device);
    if (d.is_cpu()) {
      *result = new at::Generator(at::detail::createCPUGenerator(seed));
      return;
    }
    auto g = at::globalContext().defaultGenerator(d).clone();
    g.set_current_seed(seed);
    *result = new at::Generator(std::move(g));
  });
}

RS_EXPORT int32_t rs_generator_default(int64_t device, void** result) {
  return guarded([&] { required(result); *result = new at::Generator(at::globalContext().defaultGenerator(to_device(device))); });
}

RS_EXPORT void rs_generator_free(void* handle) {
  guarded([&] { delete static_cast<at::Generator*>(handle); });
}

RS_EXPORT int32_t rs_generator_seed(void* handle, uint64_t seed) {
  return guarded([&] {
    auto& g = generator(handle);
    std::lock_guard<std::mutex> lock(g.mutex());
    g.set_current_seed(seed);
  });
}

RS_EXPORT int32_t rs_generator_initial_seed(void* handle, uint64_t* seed) {
  return guarded([&] {
    required(seed);
    auto& g = generator(handle);
    std::lock_guard<std::mutex> lock(g.mutex());
    *seed = g.current_seed();
  });
}

RS_EXPORT int32_t rs_generator_get_state(void* handle, Out* result) {
  return guarded([&] {
    required(result);
    auto& g = generator(handle);
    std::lock_guard<std::mutex> lock(g.mutex());
    give(g.get_state(), result);
  });
}

RS_EXPORT int32_t rs_generator_set_state(void* handle, void* state) {
  return guarded([&] {
    auto& g = generator(handle);
    std::lock_guard<std::mutex> lock(g.mutex());
    g.set_state(share(state));
  });
}
