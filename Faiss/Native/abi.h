// The C ABI over FAISS, in the style of FAISS's own: an export returns 0, or 1 with a message that rf_last_error gives to the same
// thread; results come through out parameters; no exception crosses. Lengths, ranges and values are checked by Recsys.Faiss, which
// alone calls this. Matrices are row-major.
#pragma once

#include <omp.h>

#include <cstdint>
#include <exception>
#include <new>
#include <string>

#define RF_EXPORT extern "C" __attribute__((visibility("default")))

namespace recsys_faiss {
void set_error(const char* message) noexcept;

template <typename Body>
int guarded(Body&& body) noexcept {
  try {
    body();
    return 0;
  } catch (const std::bad_alloc&) {
    set_error("out of memory");
  } catch (const std::exception& e) {
    set_error(e.what());
  } catch (...) {
    set_error("an exception of unknown type");
  }
  return 1;
}
}  // namespace recsys_faiss
