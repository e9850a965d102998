// The bytes that an index holds, as its containers reserve them.
#include "faiss.h"
#ifdef RECSYS_FAISS
#include <faiss/IndexAdditiveQuantizer.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIDMap.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexPQ.h>
#include <faiss/invlists/InvertedLists.h>

namespace {
template <typename T>
int64_t held(const std::vector<T>& values) {
  return static_cast<int64_t>(values.capacity() * sizeof(T));
}

int64_t held(const faiss::ProductQuantizer& pq) {
  return held(pq.centroids) + held(pq.transposed_centroids) + held(pq.centroids_sq_lengths) + held(pq.sdc_table);
}

int64_t held(const faiss::Index* index) {
  int64_t bytes = sizeof(faiss::IndexIVFPQ);  // the object itself: about a kilobyte, whichever it is
  if (index == nullptr) return 0;
  if (auto* map = dynamic_cast<const faiss::IndexIDMap*>(index)) return bytes + held(map->id_map) + held(map->index);
  if (auto* codes = dynamic_cast<const faiss::IndexFlatCodes*>(index)) bytes += held(codes->codes);
  if (auto* pq = dynamic_cast<const faiss::IndexPQ*>(index)) bytes += held(pq->pq);
  if (auto* rq = dynamic_cast<const faiss::IndexResidualQuantizer*>(index)) {
    bytes += held(rq->rq.codebooks) + held(rq->rq.codebook_cross_products) + held(rq->rq.cent_norms);
  }
  if (auto* ivf = dynamic_cast<const faiss::IndexIVF*>(index)) {
    bytes += held(ivf->quantizer);
    if (auto* lists = dynamic_cast<const faiss::ArrayInvertedLists*>(ivf->invlists)) {
      bytes += held(lists->codes) + held(lists->ids);
      for (const auto& list : lists->codes) bytes += held(list);
      for (const auto& list : lists->ids) bytes += held(list);
    }
  }
  if (auto* ivfpq = dynamic_cast<const faiss::IndexIVFPQ*>(index)) {
    bytes += held(ivfpq->pq) + static_cast<int64_t>(ivfpq->precomputed_table.size() * sizeof(float));
  }
  if (auto* hnsw = dynamic_cast<const faiss::IndexHNSW*>(index)) {
    const auto& graph = hnsw->hnsw;
    bytes += held(graph.levels) + held(graph.offsets) + held(graph.neighbors) + held(hnsw->storage);
  }
  return bytes;
}
}  // namespace

namespace recsys_faiss {
int64_t bytes_of(const IndexBox& box) { return static_cast<int64_t>(sizeof(IndexBox)) + held(box.index.get()); }
}  // namespace recsys_faiss
#endif
