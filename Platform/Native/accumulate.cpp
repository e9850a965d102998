// index_put with accumulation, and with it the gradient of indexing: libtorch lets its threads add to the same elements as they come
// (atomics), so that the order of a sum is another at every run. Here one thread adds them in order.
#include "abi.h"
#include "shares.h"
#include "torch_versions.h"

#include <ATen/NativeFunctions.h>
#include <torch/library.h>

namespace recsys {
namespace {

at::Tensor& index_put(at::Tensor& self, const c10::List<c10::optional<at::Tensor>>& indices, const at::Tensor& values, bool accumulate, bool unsafe) {
  if (!accumulate) {
    return at::native::_index_put_impl_(self, indices, values, accumulate, unsafe);
  }
  InOrder in_order;
  return at::native::_index_put_impl_(self, indices, values, accumulate, unsafe);
}

// A library of its own rather than TORCH_LIBRARY_IMPL: libtorch warns that its kernel is replaced, which is meant.
__attribute__((constructor)) void install() {
  SilentHandler silent;
  WarningHandlerGuard guard(&silent);
  static torch::Library library(torch::Library::IMPL, "aten", c10::DispatchKey::CPU, __FILE__, __LINE__);
  library.impl("_index_put_impl_", index_put);
}

}  // namespace
}  // namespace recsys
