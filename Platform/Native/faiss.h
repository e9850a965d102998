// What every file of FAISS exports shares: the guard, the checks of vectors, and the object behind an index handle.
//
// An export returns 0 for success, 1 for a fault; the fault's message is copied into `error`. Nothing is thrown across.
#pragma once
#ifdef RECSYS_FAISS
#include <faiss/Index.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace faiss {
struct IndexHNSW;
}

#define RS_FAISS_EXPORT extern "C" __attribute__((visibility("default")))

// parts: sub-quantizers (product), levels (residual) or links (HNSW).
struct RecsysIndexSpec {
  int64_t kind, dim, inner_product, lists, parts, bits, beam, ef_construction;
};

namespace recsys_faiss {
// Kept in step with Recsys.Faiss.IndexKind.
enum Kind : int64_t { kFlat = 0, kProduct = 1, kResidual = 2, kIvfFlat = 3, kIvfProduct = 4, kHnsw = 5 };

// Larger values would make a squared distance overflow to infinity, which FAISS takes for "no neighbour" and indexes with.
constexpr float kLargest = 1e15f;

constexpr int64_t kMostDimensions = 65536, kMostLists = int64_t{1} << 20, kMostBeam = 1024, kMostCandidates = 65536;

struct IndexBox {
  std::unique_ptr<faiss::Index> index;
  bool own_ids = false;  // labels are the caller's, not positions
  bool broken = false;   // FAISS threw in the middle of a change: its parts no longer agree
};

// Runs FAISS on one thread: HNSW's graph depends on the order in which threads add to it.
struct OneThread {
  int before = omp_get_max_threads();
  explicit OneThread(bool wanted) {
    if (wanted) omp_set_num_threads(1);
  }
  ~OneThread() { omp_set_num_threads(before); }
};

inline void copy_error(const char* what, char* error, int64_t size) noexcept {
  if (error == nullptr || size <= 0) return;
  std::strncpy(error, what, static_cast<size_t>(size) - 1);
  error[size - 1] = '\0';
}

// FAISS puts "Error in <signature> at <file>:<line>: Error: '<condition>' failed: " before what it has to say.
inline std::string without_origin(const std::string& text) {
  for (const char* mark : {"failed: ", ".cpp:", ".h:"}) {
    auto at = text.rfind(mark);
    if (at == std::string::npos) continue;
    at = mark[0] == '.' ? text.find(": ", at) : at + std::strlen(mark) - 2;
    if (at != std::string::npos && at + 2 < text.size()) return text.substr(at + 2);
  }
  return text;
}

template <typename Body>
int guarded(char* error, int64_t size, Body&& body) noexcept {
  try {
    body();
    return 0;
  } catch (const std::bad_alloc&) {
    copy_error("out of memory", error, size);
  } catch (const std::exception& e) {
    try {
      copy_error(without_origin(e.what()).c_str(), error, size);
    } catch (...) {
      copy_error("out of memory", error, size);
    }
  } catch (...) {
    copy_error("unknown native fault", error, size);
  }
  return 1;
}

// A change of the index: arguments are checked before; a fault inside leaves it unusable, because FAISS does not undo.
template <typename Body>
void changing(IndexBox* box, Body&& body) {
  try {
    body();
  } catch (...) {
    box->broken = true;
    throw;
  }
}

// Refuses a null among the pointers that an export cannot do without.
template <typename... P>
void required(P*... pointers) {
  if (((pointers == nullptr) || ...)) throw std::invalid_argument("a null pointer where memory is needed");
}

// Refuses a number of rows that no memory could hold, and rows without memory.
inline void require_rows(const void* memory, int64_t rows, int64_t width, const char* what) {
  if (rows < 0 || rows > (int64_t{1} << 48) / std::max<int64_t>(width, 1)) throw std::invalid_argument(std::to_string(rows) + " rows of " + what);
  if (rows > 0 && memory == nullptr) throw std::invalid_argument(std::to_string(rows) + " rows of " + what + " without memory");
}

inline IndexBox* usable(void* handle) {
  if (handle == nullptr) throw std::invalid_argument("a null index");
  auto* box = static_cast<IndexBox*>(handle);
  if (box->broken) throw std::runtime_error("an earlier change of this index failed half-way; dispose it and build or load it again");
  return box;
}

inline void require_vectors(const float* x, int64_t count, int64_t dim, const char* what) {
  require_rows(x, count, dim, what);
  for (int64_t i = 0; i < count * dim; ++i) {
    if (std::fabs(x[i]) <= kLargest) continue;  // false for NaN too
    throw std::invalid_argument(std::string(what) + " row " + std::to_string(i / dim) + ", component " + std::to_string(i % dim) +
                                (std::isfinite(x[i]) ? " is beyond 1e15, where squared distances overflow" : " is not finite"));
  }
}

void require_range(const char* what, int64_t value, int64_t least, int64_t most);
void require_spec(const RecsysIndexSpec& spec);
faiss::Index* base(faiss::Index* index);  // without the map of ids around it
int64_t bytes_of(const IndexBox& box);

// Takes the vectors whose place in `gone` [count] is not zero out of the graph; those behind move up, in their order.
void remove_from(faiss::IndexHNSW& index, const std::vector<uint8_t>& gone);
}  // namespace recsys_faiss
#endif
