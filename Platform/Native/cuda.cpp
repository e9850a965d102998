// CUDA beyond tensors on a device: streams, events, graphs, the caching allocator. Without a CUDA libtorch every export says so.
#include "abi.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#ifdef RECSYS_CUDA
#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

using namespace recsys;

#ifdef RECSYS_CUDA

namespace {

using c10::cuda::CUDAStream;

template <typename T>
T& of(void* handle, const char* what) {
  if (handle == nullptr) throw std::invalid_argument(std::string("a null ") + what);
  return *static_cast<T*>(handle);
}

// The caching allocator knows a device only after its first use.
void check_device(int32_t device) {
  if (device < 0 || device >= c10::cuda::device_count()) {
    throw std::invalid_argument("device " + std::to_string(device) + " of " + std::to_string(c10::cuda::device_count()));
  }
}

// A capture belongs to a stream that is not the default one; the thread is on it from begin to end.
struct Graph {
  at::cuda::CUDAGraph graph;
  CUDAStream stream;
  std::optional<CUDAStream> before;
  explicit Graph(CUDAStream s) : stream(s) {}
};

}  // namespace

#define RS_CUDA_EXPORT(name, parameters, ...) \
  RS_EXPORT int32_t name parameters {         \
    return guarded([&] __VA_ARGS__);          \
  }

#else

#define RS_CUDA_EXPORT(name, parameters, ...)                                                                                       \
  RS_EXPORT int32_t name parameters {                                                                                               \
    return fail(kUnsupported, "this libtorch " TORCH_VERSION " has no CUDA; build with one that has (LIBTORCH=<folder>)");         \
  }

#endif

RS_CUDA_EXPORT(rs_cuda_synchronize, ([[maybe_unused]] int32_t device), {
  check_device(device);
  c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(device));
  c10::cuda::device_synchronize();
})

RS_CUDA_EXPORT(rs_cuda_stream_new, ([[maybe_unused]] int32_t device, [[maybe_unused]] int32_t high_priority, [[maybe_unused]] void** stream), {
  check_device(device);
  *stream = new CUDAStream(c10::cuda::getStreamFromPool(high_priority != 0, static_cast<c10::DeviceIndex>(device)));
})

RS_CUDA_EXPORT(rs_cuda_stream_current, ([[maybe_unused]] int32_t device, [[maybe_unused]] void** stream), {
  check_device(device);
  *stream = new CUDAStream(c10::cuda::getCurrentCUDAStream(static_cast<c10::DeviceIndex>(device)));
})

RS_CUDA_EXPORT(rs_cuda_stream_set, ([[maybe_unused]] void* stream), { c10::cuda::setCurrentCUDAStream(of<CUDAStream>(stream, "stream")); })

RS_CUDA_EXPORT(rs_cuda_stream_synchronize, ([[maybe_unused]] void* stream), { of<CUDAStream>(stream, "stream").synchronize(); })

RS_CUDA_EXPORT(rs_cuda_stream_query, ([[maybe_unused]] void* stream, [[maybe_unused]] int32_t* done), { *done = of<CUDAStream>(stream, "stream").query(); })

RS_CUDA_EXPORT(rs_cuda_stream_free, ([[maybe_unused]] void* stream), { delete static_cast<CUDAStream*>(stream); })

// The memory of a tensor that another stream uses is kept until that stream has come so far.
RS_CUDA_EXPORT(rs_cuda_stream_uses, ([[maybe_unused]] void* stream, [[maybe_unused]] void* tensor), {
  c10::cuda::CUDACachingAllocator::recordStream(share(tensor).storage().data_ptr(), of<CUDAStream>(stream, "stream"));
})

RS_CUDA_EXPORT(rs_cuda_event_new, ([[maybe_unused]] int32_t timing, [[maybe_unused]] void** event), {
  *event = new at::cuda::CUDAEvent(timing != 0 ? cudaEventDefault : cudaEventDisableTiming);
})

RS_CUDA_EXPORT(rs_cuda_event_record, ([[maybe_unused]] void* event, [[maybe_unused]] void* stream), {
  of<at::cuda::CUDAEvent>(event, "event").record(of<CUDAStream>(stream, "stream"));
})

// The stream goes on only after the event.
RS_CUDA_EXPORT(rs_cuda_event_block, ([[maybe_unused]] void* event, [[maybe_unused]] void* stream), {
  of<at::cuda::CUDAEvent>(event, "event").block(of<CUDAStream>(stream, "stream"));
})

RS_CUDA_EXPORT(rs_cuda_event_synchronize, ([[maybe_unused]] void* event), { of<at::cuda::CUDAEvent>(event, "event").synchronize(); })

RS_CUDA_EXPORT(rs_cuda_event_elapsed, ([[maybe_unused]] void* from, [[maybe_unused]] void* to, [[maybe_unused]] double* milliseconds), {
  *milliseconds = of<at::cuda::CUDAEvent>(from, "event").elapsed_time(of<at::cuda::CUDAEvent>(to, "event"));
})

RS_CUDA_EXPORT(rs_cuda_event_free, ([[maybe_unused]] void* event), { delete static_cast<at::cuda::CUDAEvent*>(event); })

// bytes: allocated now and at most, reserved now and at most; then allocations, retries after a full device, failures.
RS_CUDA_EXPORT(rs_cuda_memory, ([[maybe_unused]] int32_t device, [[maybe_unused]] int64_t* numbers), {
  check_device(device);
  auto s = c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
  auto &allocated = s.allocated_bytes[0], &reserved = s.reserved_bytes[0];  // 0: small and large blocks together
  int64_t all[] = {allocated.current, allocated.peak, reserved.current, reserved.peak, s.allocation[0].current, s.num_alloc_retries, s.num_ooms};
  std::copy(std::begin(all), std::end(all), numbers);
})

RS_CUDA_EXPORT(rs_cuda_reset_peak, ([[maybe_unused]] int32_t device), {
  check_device(device);
  c10::cuda::CUDACachingAllocator::resetPeakStats(static_cast<c10::DeviceIndex>(device));
})

RS_CUDA_EXPORT(rs_cuda_empty_cache, (), { c10::cuda::CUDACachingAllocator::emptyCache(); })

RS_CUDA_EXPORT(rs_cuda_graph_new, ([[maybe_unused]] int32_t device, [[maybe_unused]] void** graph), {
  check_device(device);
  *graph = new Graph(c10::cuda::getStreamFromPool(false, static_cast<c10::DeviceIndex>(device)));
})

RS_CUDA_EXPORT(rs_cuda_graph_begin, ([[maybe_unused]] void* graph), {
  auto& g = of<Graph>(graph, "graph");
  g.before = c10::cuda::getCurrentCUDAStream(g.stream.device_index());
  c10::cuda::device_synchronize();
  c10::cuda::setCurrentCUDAStream(g.stream);
  g.graph.capture_begin();
})

// The thread's own stream is current again, whether the capture succeeded or not.
RS_CUDA_EXPORT(rs_cuda_graph_end, ([[maybe_unused]] void* graph), {
  auto& g = of<Graph>(graph, "graph");
  if (!g.before) throw std::invalid_argument("the graph's capture was not begun");
  struct Back {
    Graph& g;
    ~Back() {
      c10::cuda::setCurrentCUDAStream(*g.before);
      g.before.reset();
    }
  } back{g};
  g.graph.capture_end();
})

RS_CUDA_EXPORT(rs_cuda_graph_replay, ([[maybe_unused]] void* graph), { of<Graph>(graph, "graph").graph.replay(); })

RS_CUDA_EXPORT(rs_cuda_graph_free, ([[maybe_unused]] void* graph), { delete static_cast<Graph*>(graph); })
