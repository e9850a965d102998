// Turning whatever was thrown into a status and a message that the caller copies out.
#include "abi.h"

#include <c10/util/Logging.h>

#include <cstring>
#include <stdexcept>

namespace recsys {

namespace {
thread_local std::string last_error;

// c10::Error symbolises a C++ backtrace as it is made, which costs milliseconds; nobody here reads it.
const bool no_backtraces = [] {
  c10::SetStackTraceFetcher([] { return std::string(); });
  return true;
}();
}  // namespace

Status fail(Status status, const char* message) noexcept {
  try {
    last_error = message ? message : "";
  } catch (...) {
    last_error.clear();  // clear never allocates
  }
  return status;
}

Status fail_current() noexcept {
  try {
    throw;
  } catch (const c10::IndexError& e) {
    return fail(kIndex, e.what_without_backtrace());
  } catch (const c10::TypeError& e) {
    return fail(kType, e.what_without_backtrace());
  } catch (const c10::NotImplementedError& e) {
    return fail(kUnsupported, e.what_without_backtrace());
  } catch (const c10::Error& e) {
    return fail(kTorch, e.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return fail(kMemory, "out of memory");
  } catch (const std::invalid_argument& e) {
    return fail(kArgument, e.what());
  } catch (const std::out_of_range& e) {
    return fail(kIndex, e.what());
  } catch (const std::exception& e) {
    return fail(kStandard, e.what());
  } catch (...) {
    return fail(kUnknown, "an error of unknown type was thrown");
  }
}

}  // namespace recsys

// Copies the calling thread's last message; returns its full length in bytes.
RS_EXPORT int64_t rs_last_error(char* buffer, int64_t capacity) {
  const auto& text = recsys::last_error;
  if (buffer != nullptr && capacity > 0) {
    auto n = std::min<int64_t>(capacity, static_cast<int64_t>(text.size()));
    std::memcpy(buffer, text.data(), static_cast<size_t>(n));
  }
  return static_cast<int64_t>(text.size());
}

RS_EXPORT void rs_free(void* memory) { std::free(memory); }
