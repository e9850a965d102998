// Autocast state of the calling thread.
#include "abi.h"

#include <ATen/autocast_mode.h>

using namespace recsys;

RS_EXPORT int32_t rs_autocast_get(int32_t device_type, int32_t* enabled, int32_t* dtype) {
  return guarded([&] {
    auto type = static_cast<c10::DeviceType>(device_type);
#if RS_TORCH_AT_LEAST(2, 4)
    *enabled = at::autocast::is_autocast_enabled(type);
    *dtype = static_cast<int32_t>(at::autocast::get_autocast_dtype(type));
#else
    bool cpu = type == c10::DeviceType::CPU;
    *enabled = cpu ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
    *dtype = static_cast<int32_t>(cpu ? at::autocast::get_autocast_cpu_dtype() : at::autocast::get_autocast_gpu_dtype());
#endif
  });
}

RS_EXPORT int32_t rs_autocast_set(int32_t device_type, int32_t enabled, int32_t dtype) {
  return guarded([&] {
    auto type = static_cast<c10::DeviceType>(device_type);
    auto scalar = static_cast<at::ScalarType>(dtype);
#if RS_TORCH_AT_LEAST(2, 4)
    at::autocast::set_autocast_enabled(type, enabled != 0);
    at::autocast::set_autocast_dtype(type, scalar);
#else
    if (type == c10::DeviceType::CPU) {
      at::autocast::set_cpu_enabled(enabled != 0);
      at::autocast::set_autocast_cpu_dtype(scalar);
    } else {
      at::autocast::set_enabled(enabled != 0);
      at::autocast::set_autocast_gpu_dtype(scalar);
    }
#endif
  });
}

// +1 on entering a scope, -1 on leaving; the cache of cast weights is dropped when the outermost is left.
RS_EXPORT int32_t rs_autocast_nest(int32_t step) {
  return guarded([&] {
    if (step > 0) {
      at::autocast::increment_nesting();
    } else if (at::autocast::decrement_nesting() == 0) {
      at::autocast::clear_cache();
    }
  });
}
