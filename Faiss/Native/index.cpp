// Search in a small-world graph (HNSW, Malkov and Yashunin 2016) over whole float32 vectors.
#include "abi.h"

#include <faiss/IndexHNSW.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

using recsys_faiss::guarded;

// Kept in step with Recsys.Faiss.Native.IndexInfo.
struct RfIndexInfo {
  int64_t dim, inner_product, count, m, ef_search, ef_construction;
};

namespace {
faiss::IndexHNSWFlat* from(void* handle) { return static_cast<faiss::IndexHNSWFlat*>(handle); }

// Runs FAISS on one thread: HNSW's graph depends on the order in which threads add to it.
struct OneThread {
  const int before = omp_get_max_threads();
  explicit OneThread(bool wanted) {
    if (wanted) omp_set_num_threads(1);
  }
  ~OneThread() { omp_set_num_threads(before); }
};
}  // namespace

RF_EXPORT int rf_index_new(int64_t dim, int32_t inner_product, int64_t m, int64_t ef_construction, void** out) {
  return guarded([&] {
    const auto metric = inner_product ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2;
    auto index = std::make_unique<faiss::IndexHNSWFlat>(static_cast<int>(dim), static_cast<int>(m), metric);
    index->hnsw.efConstruction = static_cast<int>(ef_construction);
    *out = index.release();
  });
}

RF_EXPORT int rf_index_info(void* handle, RfIndexInfo* info) {
  return guarded([&] {
    auto* index = from(handle);
    *info = {index->d, index->metric_type == faiss::METRIC_INNER_PRODUCT, index->ntotal, index->hnsw.nb_neighbors(1), index->hnsw.efSearch, index->hnsw.efConstruction};
  });
}

RF_EXPORT int rf_index_add(void* handle, const float* x, int64_t n, int32_t one_thread) {
  return guarded([&] {
    OneThread scope(one_thread != 0);
    from(handle)->add(n, x);
  });
}

// efSearch of later searches. Not a parameter of the search: FAISS 1.7.3 sizes HNSW's list of candidates by the index's own.
RF_EXPORT int rf_index_set_breadth(void* handle, int64_t breadth) {
  return guarded([&] { from(handle)->hnsw.efSearch = static_cast<int>(breadth); });
}

// x [n, dim]; distances and ids [n, k], the nearest first; -1 where there is none.
RF_EXPORT int rf_index_search(void* handle, const float* x, int64_t n, int64_t k, float* distances, int64_t* ids) {
  return guarded([&] {
    faiss::SearchParametersHNSW parameters;
    // With fewer candidates than k it stops before it has found k.
    parameters.efSearch = std::max(from(handle)->hnsw.efSearch, static_cast<int>(k));
    from(handle)->search(n, x, k, distances, ids, &parameters);
  });
}

RF_EXPORT void rf_index_free(void* handle) { delete from(handle); }
