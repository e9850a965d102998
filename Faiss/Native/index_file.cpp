// An index to and from an open file, in FAISS's own format. FAISS believes what it reads: Recsys.Faiss checks length and SHA-256 first.
#include "abi.h"

#include <faiss/IndexHNSW.h>
#include <faiss/index_io.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>

using recsys_faiss::guarded;

namespace {
[[noreturn]] void fail(const char* what) { throw std::runtime_error(std::string(what) + ": " + std::strerror(errno)); }

// The caller's descriptor stays open and the caller's; the stream has a copy of it.
struct Stream {
  FILE* file;
  Stream(int descriptor, const char* mode, int64_t offset) {
    int copy = dup(descriptor);
    file = copy < 0 ? nullptr : fdopen(copy, mode);
    if (file == nullptr || fseeko(file, offset, SEEK_SET) != 0) {
      const int reason = errno;
      if (file != nullptr) fclose(file); else if (copy >= 0) close(copy);
      errno = reason;
      fail("opening");
    }
  }
  ~Stream() {
    if (file != nullptr) fclose(file);
  }
  void finish() {
    FILE* done = file;
    file = nullptr;
    if (fclose(done) != 0) fail("writing");
  }
};
}  // namespace

RF_EXPORT int rf_index_write(const void* handle, intptr_t descriptor, int64_t offset) {
  return guarded([&] {
    Stream stream(static_cast<int>(descriptor), "wb", offset);
    faiss::write_index(static_cast<const faiss::IndexHNSWFlat*>(handle), stream.file);
    stream.finish();
  });
}

RF_EXPORT int rf_index_read(intptr_t descriptor, int64_t offset, void** out) {
  return guarded([&] {
    Stream stream(static_cast<int>(descriptor), "rb", offset);
    std::unique_ptr<faiss::Index> index(faiss::read_index(stream.file));
    if (dynamic_cast<faiss::IndexHNSWFlat*>(index.get()) == nullptr) throw std::invalid_argument("an index that is not HNSW over flat vectors");
    *out = static_cast<faiss::IndexHNSWFlat*>(index.release());
  });
}

// A renamed file is on the disk only when its folder is, and .NET opens no folders.
RF_EXPORT int rf_sync_folder(const char* path) {
  return guarded([&] {
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) fail(path);
    const int result = fsync(folder), reason = errno;
    close(folder);
    errno = reason;
    if (result != 0 && reason != EINVAL) fail(path);  // EINVAL: a file system without it
  });
}
