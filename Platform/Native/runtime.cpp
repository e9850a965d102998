// What this library was built against and what the machine can do.
#include "abi.h"
#include "shares.h"

#include <ATen/Config.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <cstring>

using namespace recsys;

static constexpr int32_t kMostThreads = 512;

RS_EXPORT int32_t rs_abi_version() { return 1; }

static int64_t copy_out(const std::string& text, char* buffer, int64_t capacity) {
  if (buffer != nullptr && capacity > 0) {
    std::memcpy(buffer, text.data(), static_cast<size_t>(std::min<int64_t>(capacity, static_cast<int64_t>(text.size()))));
  }
  return static_cast<int64_t>(text.size());
}

// what: 0 libtorch version, 1 build configuration, 2 threading and BLAS.
RS_EXPORT int32_t rs_info(int32_t what, char* buffer, int64_t capacity, int64_t* length) {
  return guarded([&] {
    required(length);
    std::string text;
    switch (what) {
      case 0: text = TORCH_VERSION; break;
      case 1: text = at::show_config(); break;
      case 2: text = at::get_parallel_info(); break;
      default: throw std::invalid_argument("no information has the number " + std::to_string(what));
    }
    *length = copy_out(text, buffer, capacity);
  });
}

// bit 0 CUDA, 1 oneDNN, 2 OpenMP, 3 MKL, 4 bf16 dot products in the CPU, 5 LAPACK, 6 the same bytes on any number of threads.
RS_EXPORT int32_t rs_features(int32_t* bits) {
  return guarded([&] {
    required(bits);
    int32_t b = 0;
    if (at::hasCUDA()) b |= 1;
    if (at::hasMKLDNN()) b |= 2;
    if (at::hasOpenMP()) b |= 4;
    if (at::hasMKL()) b |= 8;
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx512bf16")) b |= 16;
#endif
    if (at::hasLAPACK()) b |= 32;
    if (shares_installed()) b |= 64;
    *bits = b;
  });
}

RS_EXPORT int32_t rs_cuda_device_count(int32_t* count) {
  return guarded([&] { required(count); *count = at::hasCUDA() ? static_cast<int32_t>(at::getNumGPUs()) : 0; });
}

RS_EXPORT int32_t rs_get_num_threads(int32_t* threads) {
  return guarded([&] { required(threads); *threads = recsys::threads(); });
}

RS_EXPORT int32_t rs_set_num_threads(int32_t threads) {
  return guarded([&] {
    if (threads < 1 || threads > kMostThreads) {  // OpenMP ends the process where it cannot start as many as it was told
      throw std::invalid_argument(std::to_string(threads) + " threads; allowed are 1 to " + std::to_string(kMostThreads));
    }
    at::set_num_threads(threads);
  });
}
