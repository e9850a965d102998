// Tensor handles: ownership, what a tensor says about itself, bytes in and out.
#include "abi.h"

#include <atomic>
#include <cstring>
#include <stdexcept>

namespace recsys {

namespace {
std::atomic<int64_t> live{0};
}

at::TensorImpl* release(at::Tensor&& tensor) noexcept {
  live.fetch_add(1, std::memory_order_relaxed);
  return tensor.unsafeReleaseTensorImpl();
}

at::Tensor share(void* handle) {
  if (handle == nullptr) {
    throw std::invalid_argument("a null tensor");
  }
  return at::Tensor(c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim_copy(static_cast<at::TensorImpl*>(handle)));
}

// Views own nothing: their bytes are told once, with the tensor they look into.
static int64_t owned_bytes(const at::Tensor& t) {
  if (!t.has_storage()) {
    return 0;
  }
  const auto& storage = t.storage();
  bool owner = t.requires_grad() ? !t.is_view() : storage.use_count() == 1;
  return owner ? static_cast<int64_t>(storage.nbytes()) : 0;
}

void give(at::Tensor&& tensor, Out* out) noexcept {
  out->count = 0;
  if (!tensor.defined()) {
    out->kind = kNone;
    out->payload = 0;
    out->bytes = 0;
    return;
  }
  out->kind = kTensor;
  out->bytes = owned_bytes(tensor);
  out->payload = reinterpret_cast<int64_t>(release(std::move(tensor)));
}

// libtorch indexes tables with these unchecked, so a wrong number would be the end of the process.
bool valid_dtype(int64_t dtype) noexcept { return (dtype >= 0 && dtype <= 11) || dtype == 15 || (RS_TORCH_AT_LEAST(2, 1) && dtype >= 23 && dtype <= 26); }

double bits_to_double(int64_t bits) noexcept {
  double d;
  std::memcpy(&d, &bits, sizeof d);
  return d;
}

c10::Device to_device(int64_t payload) {
  auto type = payload >> 32;
  auto index = static_cast<int32_t>(payload);
  if (type < 0 || type >= static_cast<int64_t>(c10::COMPILE_TIME_MAX_DEVICE_TYPES) || index < -1 || index > 127) {
    throw std::invalid_argument("not a device");
  }
  return c10::Device(static_cast<c10::DeviceType>(payload >> 32), static_cast<c10::DeviceIndex>(static_cast<int32_t>(payload)));
}

}  // namespace recsys

using namespace recsys;

RS_EXPORT void rs_tensor_free(void* handle) {
  if (handle != nullptr) {
    guarded([&] { at::Tensor(c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim(static_cast<at::TensorImpl*>(handle))); });
    live.fetch_sub(1, std::memory_order_relaxed);
  }
}

RS_EXPORT int64_t rs_tensor_live() { return live.load(std::memory_order_relaxed); }

// Everything cheap in one call. sizes and strides are filled up to `capacity` dimensions; `dim` is always the true number.
struct Description {
  int64_t dim, numel, element_size, storage_offset, device;
  int32_t dtype, requires_grad, is_leaf, is_contiguous, layout, is_view;
};

RS_EXPORT int32_t rs_tensor_describe(void* handle, Description* d, int64_t* sizes, int64_t* strides, int32_t capacity) {
  return guarded([&] {
    required(d);
    auto t = share(handle);
    bool strided = t.layout() == at::kStrided;
    d->dim = t.dim();
    d->numel = t.numel();
    d->element_size = static_cast<int64_t>(t.element_size());
    d->storage_offset = strided ? t.storage_offset() : 0;
    d->device = (static_cast<int64_t>(t.device().type()) << 32) | static_cast<uint32_t>(static_cast<int32_t>(t.device().index()));
    d->dtype = static_cast<int32_t>(t.scalar_type());
    d->requires_grad = t.requires_grad();
    d->is_leaf = t.is_leaf();
    d->is_contiguous = strided && t.is_contiguous();
    d->layout = static_cast<int32_t>(t.layout());
    d->is_view = t.is_view();
    for (int64_t i = 0; i < t.dim() && i < capacity; i++) {
      if (sizes) sizes[i] = t.sizes()[i];
      if (strides) strides[i] = strided ? t.strides()[i] : 0;
    }
  });
}

// The address of the first element; 0 for an empty tensor. CPU only.
RS_EXPORT int32_t rs_tensor_data(void* handle, void** data) {
  return guarded([&] {
    required(data);
    auto t = share(handle);
    if (!t.device().is_cpu() || t.layout() != at::kStrided) {
      throw std::invalid_argument("the bytes of a " + std::string(t.layout() == at::kStrided ? "" : "sparse ") + "tensor on " + t.device().str() + " cannot be read in place; move it to the CPU first");
    }
    *data = t.numel() == 0 ? nullptr : t.data_ptr();
  });
}

// A new contiguous tensor with a copy of `bytes` bytes; null data gives uninitialised memory.
RS_EXPORT int32_t rs_tensor_from_bytes(const void* data, int64_t bytes, const int64_t* sizes, int32_t dim, int32_t dtype, Out* result) {
  return guarded([&] {
    required(result);
    required_list(sizes, dim);
    if (!valid_dtype(dtype)) {
      throw std::invalid_argument("no element type has the number " + std::to_string(dtype));
    }
    auto t = at::empty(c10::IntArrayRef(sizes, static_cast<size_t>(dim)), at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype)));
    if (data != nullptr) {
      if (bytes != static_cast<int64_t>(t.nbytes())) {
        throw std::invalid_argument("the shape needs " + std::to_string(t.nbytes()) + " bytes, " + std::to_string(bytes) + " were given");
      }
      if (bytes > 0) {
        std::memcpy(t.data_ptr(), data, static_cast<size_t>(bytes));
      }
    }
    give(std::move(t), result);
  });
}

// Copies the elements in row-major order, whatever the strides and the device.
RS_EXPORT int32_t rs_tensor_to_bytes(void* handle, void* data, int64_t bytes) {
  return guarded([&] {
    required_list(static_cast<const char*>(data), bytes);
    auto t = share(handle).detach().cpu().contiguous();
    if (bytes != static_cast<int64_t>(t.nbytes())) {
      throw std::invalid_argument("the tensor has " + std::to_string(t.nbytes()) + " bytes, the buffer " + std::to_string(bytes));
    }
    if (bytes > 0) {
      std::memcpy(data, t.data_ptr(), static_cast<size_t>(bytes));
    }
  });
}

// Overwrites the elements in row-major order.
RS_EXPORT int32_t rs_tensor_set_bytes(void* handle, const void* data, int64_t bytes) {
  return guarded([&] {
    required_list(static_cast<const char*>(data), bytes);
    at::NoGradGuard no_grad;
    auto t = share(handle);
    if (bytes != t.numel() * static_cast<int64_t>(t.element_size())) {
      throw std::invalid_argument("the tensor has " + std::to_string(t.numel() * t.element_size()) + " bytes, " + std::to_string(bytes) + " were given");
    }
    if (bytes == 0) {
      return;
    }
    t.copy_(at::from_blob(const_cast<void*>(data), t.sizes(), at::TensorOptions().dtype(t.scalar_type())));
  });
}

// The one element, as a scalar.
RS_EXPORT int32_t rs_tensor_item(void* handle, Out* result) {
  return guarded([&] {
    required(result);
    auto s = share(handle).item();
    if (s.isComplex()) {
      throw std::invalid_argument("a complex number has no place in a scalar");
    }
    result->count = 0;
    result->bytes = 0;
    if (s.isBoolean()) {
      result->kind = kBool;
      result->payload = s.toBool();
    } else if (s.isIntegral(false)) {
      result->kind = kInt;
      result->payload = s.toLong();
    } else {
      result->kind = kDouble;
      auto d = s.toDouble();
      std::memcpy(&result->payload, &d, sizeof d);
    }
  });
}

// A second handle to the same tensor.
RS_EXPORT int32_t rs_tensor_alias(void* handle, Out* result) {
  return guarded([&] {
    required(result);
    give(share(handle), result);
    result->bytes = 0;
  });
}
