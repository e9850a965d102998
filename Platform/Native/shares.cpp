// The same bytes whatever the number of threads. libtorch cuts a loop into as many pieces as there are threads; where the cuts fall
// decides which elements go through vector instructions and which through their scalar twins, and how a sum is grouped. Here libtorch
// is told that there are always kShares threads, and its pieces are dealt out to those that there really are.
//
// Its parallel regions allow that because they wait for nothing inside (ATen/ParallelOpenMP.h): each piece writes a result of its own.
// A libtorch_cpu.so that carries its own oneDNN or MKL has regions with barriers in the same file, which would wait for ever; it is told
// apart by what it imports, and left as it is.
#include "shares.h"

#include "imports.h"

#include <ATen/Parallel.h>
#include <omp.h>

#include <atomic>
#include <cstdlib>
#include <exception>

namespace recsys {
namespace {

// Threads beyond this number have no piece of one of libtorch's own loops; products and convolutions use them.
constexpr int kShares = 16;

thread_local int share = -1;      // which of the kShares threads this thread stands for at the moment
thread_local bool in_order = false;

using Region = void (*)(void*);
void (*start_region)(Region, void*, unsigned, unsigned);
bool installed = false;

struct Dealt {
  Region region;
  void* data;
};

void take_shares(Region region, void* data, int first, int step) {
  int before = share;
  for (share = first; share < kShares; share += step) {
    region(data);
  }
  share = before;
}

void deal(void* context) {
  auto& dealt = *static_cast<Dealt*>(context);
  take_shares(dealt.region, dealt.data, omp_get_thread_num(), omp_get_num_threads());
}

void parallel(Region region, void* data, unsigned wanted, unsigned flags) {
  if (wanted != 0) {  // a region that names its number of threads: none in libtorch's own loops
    start_region(region, data, wanted, flags);
    return;
  }
  int team = threads() < kShares ? threads() : kShares;
  if (team == 1 || in_order || share >= 0 || omp_in_parallel()) {
    take_shares(region, data, 0, 1);
    return;
  }
  Dealt dealt{region, data};
  start_region(&deal, &dealt, static_cast<unsigned>(team), flags);
}

int max_threads() { return kShares; }
int num_threads() { return share >= 0 ? kShares : omp_get_num_threads(); }
int thread_num() { return share >= 0 ? share : omp_get_thread_num(); }
int in_parallel() { return share >= 0 || omp_in_parallel(); }

// RECSYS_SHARES=0 leaves libtorch's loops to the number of threads.
__attribute__((constructor)) void install() {
  const char* asked = std::getenv("RECSYS_SHARES");
  bool unwanted = asked != nullptr && asked[0] == '0' && asked[1] == '\0';
  start_region = reinterpret_cast<decltype(start_region)>(import_of_torch("GOMP_parallel"));
  bool waits = torch_imports("GOMP_barrier") || torch_imports("GOMP_critical_start") || torch_imports("GOMP_loop_dynamic_next");
  if (unwanted || start_region == nullptr || !torch_imports("GOMP_parallel") || waits) {
    return;
  }
  at::set_num_threads(omp_get_max_threads());  // from here on libtorch hands this number to every thread, instead of what max_threads() says
  replace_imports_of_torch({{"GOMP_parallel", reinterpret_cast<void*>(&parallel)},
                            {"omp_get_max_threads", reinterpret_cast<void*>(&max_threads)},
                            {"omp_get_num_threads", reinterpret_cast<void*>(&num_threads)},
                            {"omp_get_thread_num", reinterpret_cast<void*>(&thread_num)},
                            {"omp_in_parallel", reinterpret_cast<void*>(&in_parallel)}});
  installed = true;
}

}  // namespace

bool shares_installed() noexcept { return installed; }

int threads() noexcept {
  at::internal::lazy_init_num_threads();  // a thread that is new to libtorch gets the number that was set
  return omp_get_max_threads();
}

void run_shares(int64_t n, void (*body)(void*, int64_t), void* context) {
  int before = share;
  int64_t team = threads() < n ? threads() : n;
  if (n <= 1 || team <= 1 || in_order || share >= 0 || omp_in_parallel()) {
    OneThread alone;
    share = share >= 0 ? share : 0;
    try {
      for (int64_t i = 0; i < n; i++) body(context, i);
    } catch (...) {
      share = before;
      throw;
    }
    share = before;
    return;
  }
  std::atomic<int64_t> next{0};
  std::atomic_flag failed = ATOMIC_FLAG_INIT;
  std::exception_ptr error;
#pragma omp parallel num_threads(static_cast<int>(team))
  {
    OneThread alone;  // oneDNN plans for as many threads as OpenMP names, even in here where it gets one
    share = 0;
    try {
      for (int64_t i = next++; i < n; i = next++) body(context, i);
    } catch (...) {
      if (!failed.test_and_set()) error = std::current_exception();
    }
    share = -1;
  }
  if (error) {
    std::rethrow_exception(error);
  }
}

InOrder::InOrder() { in_order = true; }
InOrder::~InOrder() { in_order = false; }

OneThread::OneThread() : before_(threads()) {
  if (before_ > 1) omp_set_num_threads(1);
}
OneThread::~OneThread() {
  if (before_ > 1) omp_set_num_threads(before_);
}

}  // namespace recsys
