// Indexes: exact, graph (HNSW, Malkov and Yashunin 2016) and inverted file, all over whole float32 vectors.
#include "abi.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

using recsys_faiss::guarded;

// Kept in step with Recsys.Faiss.Native.IndexKind and IndexInfo. size: M of HNSW or nlist; breadth: efSearch or nprobe.
enum RfKind : int64_t { kFlat = 0, kHnsw = 1, kIvfFlat = 2 };
struct RfIndexInfo {
  int64_t kind, dim, inner_product, count, trained, size, breadth, ef_construction;
};

namespace {
faiss::Index* from(void* handle) { return static_cast<faiss::Index*>(handle); }

// Runs FAISS on one thread: HNSW's graph depends on the order in which threads add to it.
struct OneThread {
  const int before = omp_get_max_threads();
  explicit OneThread(bool wanted) {
    if (wanted) omp_set_num_threads(1);
  }
  ~OneThread() { omp_set_num_threads(before); }
};
}  // namespace

RF_EXPORT int rf_index_new(int64_t kind, int64_t dim, int32_t inner_product, int64_t size, int64_t ef_construction, void** out) {
  return guarded([&] {
    const auto metric = inner_product ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2;
    auto flat = std::make_unique<faiss::IndexFlat>(dim, metric);
    if (kind == kFlat) {
      *out = flat.release();
    } else if (kind == kHnsw) {
      auto index = std::make_unique<faiss::IndexHNSWFlat>(static_cast<int>(dim), static_cast<int>(size), metric);
      index->hnsw.efConstruction = static_cast<int>(ef_construction);
      *out = index.release();
    } else if (kind == kIvfFlat) {
      auto index = std::make_unique<faiss::IndexIVFFlat>(flat.get(), dim, size, metric);
      index->own_fields = true;
      flat.release();
      *out = index.release();
    } else {
      throw std::invalid_argument("no such kind of index: " + std::to_string(kind));
    }
  });
}

RF_EXPORT int rf_index_info(void* handle, RfIndexInfo* info) {
  return guarded([&] {
    auto* index = from(handle);
    *info = {kFlat, index->d, index->metric_type == faiss::METRIC_INNER_PRODUCT, index->ntotal, index->is_trained, 0, 0, 0};
    if (auto* hnsw = dynamic_cast<faiss::IndexHNSWFlat*>(index)) {
      info->kind = kHnsw;
      info->size = hnsw->hnsw.nb_neighbors(1);
      info->breadth = hnsw->hnsw.efSearch;
      info->ef_construction = hnsw->hnsw.efConstruction;
    } else if (auto* ivf = dynamic_cast<faiss::IndexIVFFlat*>(index)) {
      info->kind = kIvfFlat;
      info->size = ivf->nlist;
      info->breadth = ivf->nprobe;
    } else if (dynamic_cast<faiss::IndexFlat*>(index) == nullptr) {
      throw std::invalid_argument("an index that is neither flat, nor HNSW over flat vectors, nor IVF over flat vectors");
    }
  });
}

// x [n, dim], n at least nlist.
RF_EXPORT int rf_index_train(void* handle, const float* x, int64_t n, int32_t seed) {
  return guarded([&] {
    if (auto* ivf = dynamic_cast<faiss::IndexIVF*>(from(handle))) {
      ivf->cp.seed = seed;
      ivf->cp.min_points_per_centroid = 1;
    }
    from(handle)->train(n, x);
  });
}

RF_EXPORT int rf_index_add(void* handle, const float* x, int64_t n, int32_t one_thread) {
  return guarded([&] {
    OneThread scope(one_thread != 0);
    from(handle)->add(n, x);
  });
}

// efSearch or nprobe of later searches. Not a parameter of the search: FAISS 1.7.3 sizes HNSW's list of candidates by the index's own.
RF_EXPORT int rf_index_set_breadth(void* handle, int64_t breadth) {
  return guarded([&] {
    if (auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(from(handle))) hnsw->hnsw.efSearch = static_cast<int>(breadth);
    if (auto* ivf = dynamic_cast<faiss::IndexIVF*>(from(handle))) ivf->nprobe = breadth;
  });
}

// x [n, dim]; distances and ids [n, k], the nearest first; -1 where there is none.
RF_EXPORT int rf_index_search(void* handle, const float* x, int64_t n, int64_t k, float* distances, int64_t* ids) {
  return guarded([&] {
    faiss::SearchParametersHNSW parameters;
    auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(from(handle));
    // With fewer candidates than k it stops before it has found k.
    if (hnsw != nullptr) parameters.efSearch = std::max(hnsw->hnsw.efSearch, static_cast<int>(k));
    from(handle)->search(n, x, k, distances, ids, hnsw != nullptr ? &parameters : nullptr);
  });
}

RF_EXPORT void rf_index_free(void* handle) { delete from(handle); }
