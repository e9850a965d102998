// Tensors over a mapped file.
#pragma once

#include "exercise.h"

#include <sys/mman.h>
#include <unistd.h>

namespace {

void mappings() {
  int file = memfd_create("mapped", 0);
  float written[1024];
  for (int i = 0; i < 1024; i++) written[i] = static_cast<float>(i);
  CHECK(file >= 0 && write(file, written, sizeof written) == sizeof written);
  void* mapping = nullptr;
  CHECK(rs_mapping_new(file, 4097, &mapping) == recsys::kArgument && rs_mapping_new(-1, 1, &mapping) == recsys::kArgument && mapping == nullptr);
  CHECK(rs_mapping_new(file, 4096, &mapping) == 0);
  int64_t sizes[2] = {4, 8}, huge[3] = {int64_t{1} << 40, int64_t{1} << 40, 0};
  Out out{};
  CHECK(rs_mapping_tensor(mapping, 4000, sizes, 2, 6, &out) == recsys::kArgument && rs_mapping_tensor(mapping, 2, sizes, 2, 6, &out) == recsys::kArgument);
  CHECK(rs_mapping_tensor(mapping, 0, huge, 3, 6, &out) == recsys::kArgument && rs_mapping_tensor(mapping, 0, sizes, 2, 14, &out) == recsys::kArgument);
  CHECK(rs_mapping_tensor(mapping, 4096 - 128, sizes, 2, 6, &out) == 0 && out.bytes == 128);
  T last(handle(out));
  CHECK(rs_mapping_tensor(mapping, 0, nullptr, 0, 6, &out) == 0);
  T scalar(handle(out));
  rs_mapping_free(mapping);  // the tensors keep it
  CHECK(values(last.h).back() == 1023 && values(scalar.h)[0] == 0);
  float nine = 9, back = -1;
  CHECK(rs_tensor_set_bytes(scalar.h, &nine, 4) == 0 && values(scalar.h)[0] == 9);
  CHECK(pread(file, &back, 4, 0) == 4 && back == 0);  // the file never sees it
  close(file);
}

}  // namespace
