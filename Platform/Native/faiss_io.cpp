// An index to and from FAISS's own file format. What is read was checked, field by field, by Recsys.Faiss before it comes here.
#include "faiss.h"
#ifdef RECSYS_FAISS
#include <faiss/IndexIDMap.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

using namespace recsys_faiss;

namespace {
struct MemoryReader : faiss::IOReader {
  const uint8_t* at;
  int64_t left;
  MemoryReader(const uint8_t* bytes, int64_t length) : at(bytes), left(length) {}
  size_t operator()(void* to, size_t size, size_t items) override {
    if (size == 0 || items == 0) return items;
    size_t whole = std::min(items, static_cast<size_t>(left) / size);
    std::memcpy(to, at, whole * size);
    at += whole * size;
    left -= static_cast<int64_t>(whole * size);
    return whole;
  }
};
}  // namespace

RS_FAISS_EXPORT int rs_faiss_index_write(void* handle, const char* path, char* error, int64_t error_size) {
  return guarded(error, error_size, [&] {
    required(path);
    faiss::write_index(usable(handle)->index.get(), path);
  });
}

// A renamed file is on the disk only when its folder is, and .NET opens no folders.
RS_FAISS_EXPORT int rs_faiss_flush_folder(const char* path, char* error, int64_t error_size) {
  return guarded(error, error_size, [&] {
    required(path);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = folder >= 0 && (fsync(folder) == 0 || errno == EINVAL);  // EINVAL: a file system without it
    std::string reason = done ? "" : std::strerror(errno);
    if (folder >= 0) close(folder);
    if (!done) throw std::runtime_error(reason);
  });
}

RS_FAISS_EXPORT int rs_faiss_index_read(const uint8_t* bytes, int64_t length, int32_t own_ids, void** handle, char* error,
                                       int64_t error_size) {
  return guarded(error, error_size, [&] {
    required(bytes, handle);
    require_rows(bytes, length, 1, "bytes");
    MemoryReader reader(bytes, length);
    auto box = std::make_unique<IndexBox>();
    box->index.reset(faiss::read_index(&reader));
    if (reader.left != 0) throw std::runtime_error(std::to_string(reader.left) + " bytes are left behind the index");
    box->own_ids = own_ids != 0 || base(box->index.get()) != box->index.get();
    *handle = box.release();
  });
}
#endif
