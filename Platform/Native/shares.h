// Work cut into shares whose number does not depend on the number of threads: the same sums in the same order on any machine.
#pragma once

#include <cstdint>
#include <type_traits>

namespace recsys {

// body(0), …, body(n - 1), each once, by as many threads as there are. libtorch, BLAS and oneDNN called from a body stay on its thread.
// The first exception is thrown again once all have ended.
void run_shares(int64_t n, void (*body)(void*, int64_t), void* context);

template <typename Body>
void for_each_share(int64_t n, Body&& body) {
  run_shares(n, [](void* context, int64_t i) { (*static_cast<std::remove_reference_t<Body>*>(context))(i); }, &body);
}

// While it lives, whatever libtorch would do in parallel on this thread is done by this thread, share after share.
class InOrder {
 public:
  InOrder();
  ~InOrder();
  InOrder(const InOrder&) = delete;
  InOrder& operator=(const InOrder&) = delete;
};

// While it lives, OpenMP regions that this thread opens have one thread.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// Whether libtorch's loops are cut into shares: not with RECSYS_SHARES=0, and not in a libtorch that carries its own oneDNN or MKL.
bool shares_installed() noexcept;

int threads() noexcept;  // what OpenMP would start on this thread

}  // namespace recsys
