// tensor[...] with integers, slices, masks, index tensors, an ellipsis and new axes, by libtorch's own rules.
#include "torch_versions.h"


#include <stdexcept>

using namespace recsys;

namespace {
std::vector<at::indexing::TensorIndex> indices(const Arg* arguments, int32_t count) {
  required_list(arguments, count);
  std::vector<at::indexing::TensorIndex> list;
  list.reserve(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; i++) {
    const auto& a = arguments[i];
    switch (a.kind) {
      case kNone: list.emplace_back(at::indexing::None); break;
      case kEllipsis: list.emplace_back(at::indexing::Ellipsis); break;
      case kInt: list.emplace_back(a.payload); break;
      case kBool: list.emplace_back(a.payload != 0); break;
      case kTensor: list.emplace_back(share(reinterpret_cast<void*>(a.payload))); break;
      case kSlice: {
        if (a.payload == 0) throw std::invalid_argument("a slice without bounds");
        list.emplace_back(slice(reinterpret_cast<const int64_t*>(a.payload)));
        break;
      }
      default: throw std::invalid_argument("not an index");
    }
  }
  return list;
}
}  // namespace

RS_EXPORT int32_t rs_tensor_index(void* handle, const Arg* arguments, int32_t count, Out* result) {
  return guarded([&] { required(result); give(share(handle).index(indices(arguments, count)), result); });
}

// value: a tensor, or a number.
RS_EXPORT int32_t rs_tensor_index_put(void* handle, const Arg* arguments, int32_t count, const Arg* value) {
  return guarded([&] {
    required(value);
    auto t = share(handle);
    auto where = indices(arguments, count);
    switch (value->kind) {
      case kTensor: t.index_put_(where, share(reinterpret_cast<void*>(value->payload))); break;
      case kInt: t.index_put_(where, at::Scalar(value->payload)); break;
      case kDouble: t.index_put_(where, at::Scalar(bits_to_double(value->payload))); break;
      case kBool: t.index_put_(where, at::Scalar(value->payload != 0)); break;
      default: throw std::invalid_argument("neither a tensor nor a number");
    }
  });
}
