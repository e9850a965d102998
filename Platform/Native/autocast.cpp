// Autocast state of the calling thread.
#include "torch_versions.h"

using namespace recsys;

RS_EXPORT int32_t rs_autocast_get(int32_t device_type, int32_t* enabled, int32_t* dtype) {
  return guarded([&] {
    auto type = static_cast<c10::DeviceType>(device_type);
    *enabled = autocast_enabled(type);
    *dtype = static_cast<int32_t>(autocast_dtype(type));
  });
}

RS_EXPORT int32_t rs_autocast_set(int32_t device_type, int32_t enabled, int32_t dtype) {
  return guarded([&] { set_autocast(static_cast<c10::DeviceType>(device_type), enabled != 0, static_cast<at::ScalarType>(dtype)); });
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
