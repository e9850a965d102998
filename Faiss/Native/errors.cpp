// The last message of each thread.
#include "abi.h"

namespace {
thread_local std::string last_error;
}

void recsys_faiss::set_error(const char* message) noexcept {
  try {
    last_error = message;
  } catch (...) {
    last_error.clear();  // never allocates
  }
}

// UTF-8; valid until the thread's next failing call.
RF_EXPORT const char* rf_last_error() { return last_error.c_str(); }
