// Autocast state of the calling thread.
#include "torch_versions.h"

using namespace recsys;

namespace {
c10::DeviceType autocast_device(int32_t type) {
  if (type != static_cast<int32_t>(c10::DeviceType::CPU) && type != static_cast<int32_t>(c10::DeviceType::CUDA)) {
    throw std::invalid_argument("autocast knows the CPU (0) and CUDA (1), not device type " + std::to_string(type));
  }
  return static_cast<c10::DeviceType>(type);
}
}  // namespace

RS_EXPORT int32_t rs_autocast_get(int32_t device_type, int32_t* enabled, int32_t* dtype) {
  return guarded([&] {
    required(enabled, dtype);
    auto type = autocast_device(device_type);
    *enabled = autocast_enabled(type);
    *dtype = static_cast<int32_t>(autocast_dtype(type));
  });
}

RS_EXPORT int32_t rs_autocast_set(int32_t device_type, int32_t enabled, int32_t dtype) {
  return guarded([&] {
    if (!valid_dtype(dtype) || !at::isFloatingType(static_cast<at::ScalarType>(dtype))) {
      throw std::invalid_argument("autocast takes a floating-point element type, not the number " + std::to_string(dtype));
    }
    set_autocast(autocast_device(device_type), enabled != 0, static_cast<at::ScalarType>(dtype));
  });
}

// +1 on entering a scope, -1 on leaving; the cache of cast weights is dropped when the outermost is left.
RS_EXPORT int32_t rs_autocast_nest(int32_t step) {
  return guarded([&] {
    static thread_local int64_t depth = 0;
    if (step <= 0 && depth == 0) {
      throw std::invalid_argument("an autocast scope is left that was never entered on this thread");
    }
    depth += step > 0 ? 1 : -1;
    if (step > 0) {
      at::autocast::increment_nesting();
    } else if (at::autocast::decrement_nesting() == 0) {
      at::autocast::clear_cache();
    }
  });
}
