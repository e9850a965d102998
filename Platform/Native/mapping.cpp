// Tensors whose storage is a private mapping of a file: nothing is copied, a page is read when it is first touched, and a write to a
// tensor copies its page and never reaches the file. The mapping is given back with the last tensor (or handle) that uses it.
//
// A file that is cut short under its mapping makes the system end the process (SIGBUS) at the first touch of a page that is no more:
// nothing here can turn that into a status. So the caller maps only what is replaced by renaming, which leaves the old file in place.
#include "abi.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

struct Mapping {
  uint8_t* address;
  size_t length;
  Mapping(int descriptor, size_t bytes) : length(bytes) {
    // NORESERVE: pages are copied only where somebody writes, so their memory is not asked for in advance.
    auto* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor, 0);
    if (mapped == MAP_FAILED) {
      throw std::runtime_error("the file cannot be mapped: " + std::string(std::strerror(errno)));
    }
    address = static_cast<uint8_t*>(mapped);
  }
  ~Mapping() { munmap(address, length); }
  Mapping(const Mapping&) = delete;
};

using Shared = std::shared_ptr<Mapping>;  // a handle is one of these on the heap

}  // namespace

using namespace recsys;

// Maps the first `length` bytes of an open regular file, which may be closed afterwards.
RS_EXPORT int32_t rs_mapping_new(int32_t descriptor, int64_t length, void** handle) {
  return guarded([&] {
    required(handle);
    struct stat file{};
    if (fstat(descriptor, &file) != 0 || !S_ISREG(file.st_mode)) {
      throw std::invalid_argument("only a regular file that is open can be mapped");
    }
    if (length <= 0 || length > file.st_size) {
      throw std::invalid_argument(std::to_string(length) + " bytes to map of a file of " + std::to_string(file.st_size));
    }
    *handle = new Shared(std::make_shared<Mapping>(descriptor, static_cast<size_t>(length)));
  });
}

RS_EXPORT void rs_mapping_free(void* handle) {
  guarded([&] { delete static_cast<Shared*>(handle); });
}

// A contiguous CPU tensor over the mapping's bytes from `offset` on, which must be a multiple of the element's size.
RS_EXPORT int32_t rs_mapping_tensor(void* handle, int64_t offset, const int64_t* sizes, int32_t dim, int32_t dtype, Out* result) {
  return guarded([&] {
    required(handle, result);
    required_list(sizes, dim);
    if (!valid_dtype(dtype)) {
      throw std::invalid_argument("no element type has the number " + std::to_string(dtype));
    }
    auto& mapping = *static_cast<Shared*>(handle);
    auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype));
    auto size = static_cast<int64_t>(options.dtype().itemsize());
    if (offset < 0 || offset % size != 0) {
      throw std::invalid_argument("a tensor cannot begin at byte " + std::to_string(offset) + ": its elements have " + std::to_string(size) + " bytes each");
    }
    int64_t bytes = size;
    for (int32_t i = 0; i < dim; i++) {
      if (sizes[i] < 0 || __builtin_mul_overflow(bytes, sizes[i], &bytes)) {
        throw std::invalid_argument("no shape: size " + std::to_string(sizes[i]) + " of dimension " + std::to_string(i) + " is negative, or makes too many bytes");
      }
    }
    auto shape = c10::IntArrayRef(sizes, static_cast<size_t>(dim));
    if (bytes == 0) {
      give(at::empty(shape, options), result);
      return;
    }
    if (offset > static_cast<int64_t>(mapping->length) || bytes > static_cast<int64_t>(mapping->length) - offset) {
      throw std::invalid_argument(std::to_string(bytes) + " bytes from byte " + std::to_string(offset) + " on, of a mapping of " + std::to_string(mapping->length));
    }
    auto keep = [shared = mapping](void*) {};  // the storage's share of the mapping, given back as the storage goes
    give(at::from_blob(mapping->address + offset, shape, std::move(keep), options), result);
  });
}
