// Which of libtorch's convolution libraries are asked. NNPACK never: only some processors have what it wants, so that the same model
// would round differently from machine to machine, and where it is missing libtorch 2 says so at every convolution. oneDNN as long as
// RECSYS_ONEDNN is not 0, for a libtorch whose oneDNN `recsys selftest` finds wrong (docs/platform.md).
#include "torch_versions.h"

#include <ATen/Context.h>

#include <cstdlib>
#include <cstring>

namespace {

__attribute__((constructor)) void choose_backends() {
  recsys::leave_out_nnpack();
  const char* onednn = std::getenv("RECSYS_ONEDNN");
  if (onednn != nullptr && std::strcmp(onednn, "0") == 0) {
    at::globalContext().setUserEnabledMkldnn(false);
  }
}

}  // namespace
