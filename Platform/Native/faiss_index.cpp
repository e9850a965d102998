// Indexes of FAISS: made, trained, filled, searched, thinned out.
#include "faiss.h"
#ifdef RECSYS_FAISS
#include <faiss/IndexAdditiveQuantizer.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIDMap.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexPQ.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/impl/IDSelector.h>

#include <utility>
#include <vector>

using namespace recsys_faiss;

namespace recsys_faiss {
faiss::Index* base(faiss::Index* index) {
  auto* map = dynamic_cast<faiss::IndexIDMap*>(index);
  return map != nullptr ? map->index : index;
}
}  // namespace recsys_faiss

struct RecsysIndexInfo {
  int64_t kind, dim, inner_product, count, trained, own_ids, lists, probes, parts, bits, beam, ef_construction, ef_search, code_bytes,
      bytes;
};

namespace {
// FAISS warns on standard error below this many points a centroid; whoever trains decides that.
void quiet(faiss::ClusteringParameters& parameters, int seed) {
  parameters.min_points_per_centroid = 1;
  parameters.seed = seed;
}

std::unique_ptr<faiss::Index> make(const RecsysIndexSpec& s) {
  auto metric = s.inner_product ? faiss::METRIC_INNER_PRODUCT : faiss::METRIC_L2;
  int dim = static_cast<int>(s.dim);
  auto coarse = [&] { return std::make_unique<faiss::IndexFlat>(dim, metric); };
  auto owning = [](auto index, auto& quantizer) {
    index->own_fields = true;
    quantizer.release();
    return index;
  };
  switch (s.kind) {
    case kFlat:
      return s.inner_product ? std::unique_ptr<faiss::Index>(std::make_unique<faiss::IndexFlatIP>(dim))
                             : std::make_unique<faiss::IndexFlatL2>(dim);
    case kProduct:
      return std::make_unique<faiss::IndexPQ>(dim, s.parts, s.bits, metric);
    case kResidual: {
      auto index = std::make_unique<faiss::IndexResidualQuantizer>(dim, s.parts, s.bits, metric);
      index->rq.max_beam_size = static_cast<int>(s.beam);
      // Tables of all products of codes serve a search that is not used here, and grow with the square of the codebooks.
      index->rq.train_type |= faiss::ResidualQuantizer::Skip_codebook_tables;
      return index;
    }
    case kIvfFlat: {
      auto quantizer = coarse();
      return owning(std::make_unique<faiss::IndexIVFFlat>(quantizer.get(), dim, s.lists, metric), quantizer);
    }
    case kIvfProduct: {
      auto quantizer = coarse();
      return owning(std::make_unique<faiss::IndexIVFPQ>(quantizer.get(), dim, s.lists, s.parts, s.bits, metric), quantizer);
    }
    case kHnsw: {
      auto index = std::make_unique<faiss::IndexHNSWFlat>(dim, static_cast<int>(s.parts), metric);
      index->hnsw.efConstruction = static_cast<int>(s.ef_construction);
      return index;
    }
    default:
      throw std::invalid_argument("unknown kind of index " + std::to_string(s.kind));
  }
}

// From here on labels are the caller's: what is there keeps its positions as labels.
void take_ids(IndexBox* box) {
  if (dynamic_cast<faiss::IndexIVF*>(box->index.get()) == nullptr && base(box->index.get()) == box->index.get()) {
    auto map = std::make_unique<faiss::IndexIDMap>();
    faiss::Index* inner = box->index.get();
    map->id_map.resize(inner->ntotal);
    for (int64_t i = 0; i < inner->ntotal; ++i) map->id_map[i] = i;
    map->d = inner->d;
    map->ntotal = inner->ntotal;
    map->metric_type = inner->metric_type;
    map->is_trained = inner->is_trained;
    map->index = inner;
    map->own_fields = true;
    box->index.release();
    box->index = std::move(map);
  }
  box->own_ids = true;
}

// FAISS would find out half-way, with its lists made and its codebooks not.
void require_enough(const faiss::Index* index, int64_t n) {
  size_t lists = 0, entries = 0;
  if (auto* ivf = dynamic_cast<const faiss::IndexIVF*>(index)) lists = ivf->nlist;
  if (auto* ivfpq = dynamic_cast<const faiss::IndexIVFPQ*>(index)) entries = ivfpq->pq.ksub;
  if (auto* pq = dynamic_cast<const faiss::IndexPQ*>(index)) entries = pq->pq.ksub;
  if (auto* rq = dynamic_cast<const faiss::IndexResidualQuantizer*>(index)) entries = size_t(1) << rq->rq.nbits[0];
  size_t need = std::max(lists, entries);
  if (static_cast<size_t>(n) < need) {
    throw std::invalid_argument(std::to_string(n) + " vectors are too few: " + std::to_string(need) + " are the least, one for each " +
                                (lists >= entries ? "list" : "code"));
  }
}

int64_t remove_from_graph(IndexBox* box, faiss::IndexHNSW& hnsw, const faiss::IDSelector& chosen) {
  auto* map = dynamic_cast<faiss::IndexIDMap*>(box->index.get());
  std::vector<uint8_t> gone(hnsw.ntotal);
  int64_t removed = 0, count = hnsw.ntotal;
  for (int64_t i = 0; i < count; ++i) removed += gone[i] = chosen.is_member(map != nullptr ? map->id_map[i] : i);
  if (removed == 0) return 0;
  remove_from(hnsw, gone);
  if (map != nullptr) {
    for (int64_t i = 0, to = 0; i < count; ++i) {
      if (!gone[i]) map->id_map[to++] = map->id_map[i];
    }
    map->id_map.resize(hnsw.ntotal);
    map->ntotal = hnsw.ntotal;
  }
  return removed;
}
}  // namespace

RS_FAISS_EXPORT int rs_faiss_index_new(const RecsysIndexSpec* spec, void** handle, char* error, int64_t error_size) {
  return guarded(error, error_size, [&] {
    required(spec, handle);
    require_spec(*spec);
    auto box = std::make_unique<IndexBox>();
    box->index = make(*spec);
    *handle = box.release();
  });
}

RS_FAISS_EXPORT void rs_faiss_index_delete(void* handle) {
  try {
    delete static_cast<IndexBox*>(handle);
  } catch (...) {
  }
}

RS_FAISS_EXPORT int rs_faiss_index_info(void* handle, RecsysIndexInfo* out, char* error, int64_t error_size) {
  return guarded(error, error_size, [&] {
    required(handle, out);
    auto* box = static_cast<IndexBox*>(handle);
    const faiss::Index* index = base(box->index.get());
    RecsysIndexInfo i{};
    i.dim = index->d;
    i.inner_product = index->metric_type == faiss::METRIC_INNER_PRODUCT;
    i.count = index->ntotal;
    i.trained = index->is_trained;
    i.own_ids = box->own_ids;
    i.bytes = bytes_of(*box);
    if (auto* pq = dynamic_cast<const faiss::IndexPQ*>(index)) {
      i.kind = kProduct, i.parts = pq->pq.M, i.bits = pq->pq.nbits, i.code_bytes = pq->code_size;
    } else if (auto* rq = dynamic_cast<const faiss::IndexResidualQuantizer*>(index)) {
      i.kind = kResidual, i.parts = rq->rq.M, i.bits = rq->rq.nbits.empty() ? 0 : rq->rq.nbits[0];
      i.beam = rq->rq.max_beam_size, i.code_bytes = rq->code_size;
    } else if (auto* ivf = dynamic_cast<const faiss::IndexIVF*>(index)) {
      i.kind = kIvfFlat, i.lists = ivf->nlist, i.probes = ivf->nprobe, i.code_bytes = ivf->code_size;
      if (auto* ivfpq = dynamic_cast<const faiss::IndexIVFPQ*>(ivf)) {
        i.kind = kIvfProduct, i.parts = ivfpq->pq.M, i.bits = ivfpq->pq.nbits;
      }
    } else if (auto* hnsw = dynamic_cast<const faiss::IndexHNSW*>(index)) {
      i.kind = kHnsw, i.parts = hnsw->hnsw.cum_nneighbor_per_level.size() > 1 ? hnsw->hnsw.nb_neighbors(0) / 2 : 0;
      i.ef_construction = hnsw->hnsw.efConstruction, i.ef_search = hnsw->hnsw.efSearch;
      i.code_bytes = static_cast<int64_t>(index->d) * 4;
    } else if (dynamic_cast<const faiss::IndexFlat*>(index) != nullptr) {
      i.kind = kFlat, i.code_bytes = static_cast<int64_t>(index->d) * 4;
    } else {
      throw std::invalid_argument("an index of a kind that this library does not know");
    }
    *out = i;
  });
}

// x [n, dim]
RS_FAISS_EXPORT int rs_faiss_index_train(void* handle, const float* x, int64_t n, int32_t seed, char* error, int64_t error_size) {
  return guarded(error, error_size, [&] {
    auto* box = usable(handle);
    faiss::Index* index = base(box->index.get());
    require_vectors(x, n, index->d, "vector");
    if (auto* ivf = dynamic_cast<faiss::IndexIVF*>(index)) quiet(ivf->cp, seed);
    if (auto* ivfpq = dynamic_cast<faiss::IndexIVFPQ*>(index)) quiet(ivfpq->pq.cp, seed);
    if (auto* pq = dynamic_cast<faiss::IndexPQ*>(index)) quiet(pq->pq.cp, seed);
    if (auto* rq = dynamic_cast<faiss::IndexResidualQuantizer*>(index)) quiet(rq->rq.cp, seed);
    if (index->ntotal > 0) throw std::invalid_argument(std::to_string(index->ntotal) + " vectors are held already; train before adding");
    require_enough(index, n);
    changing(box, [&] { box->index->train(n, x); });
  });
}

// x [n, dim]; ids [n] or null, and then the labels go on from the number of vectors held. one_thread: same bytes at every run.
RS_FAISS_EXPORT int rs_faiss_index_add(void* handle, const float* x, const int64_t* ids, int64_t n, int32_t one_thread, char* error,
                                      int64_t error_size) {
  return guarded(error, error_size, [&] {
    auto* box = usable(handle);
    if (!box->index->is_trained) throw std::invalid_argument("it is not trained; call Train first");
    require_vectors(x, n, box->index->d, "vector");
    if (ids == nullptr && box->own_ids) throw std::invalid_argument("its labels are the caller's; numbering on would repeat some, so give ids");
    for (int64_t i = 0; ids != nullptr && i < n; ++i) {
      if (ids[i] < 0) throw std::invalid_argument("id " + std::to_string(ids[i]) + " of row " + std::to_string(i) + " is negative; -1 stands for no neighbour");
    }
    changing(box, [&] {
      OneThread threads(one_thread != 0);
      if (ids == nullptr) {
        box->index->add(n, x);
      } else {
        take_ids(box);
        box->index->add_with_ids(n, x, ids);
      }
    });
  });
}

// queries [n, dim] -> distances [n, k], labels [n, k], nearest first; returned ties stand in ascending label order, -1 where fewer
// than k were found.
RS_FAISS_EXPORT int rs_faiss_index_search(void* handle, const float* queries, int64_t n, int64_t k, float* distances, int64_t* labels,
                                         char* error, int64_t error_size) {
  return guarded(error, error_size, [&] {
    auto* box = usable(handle);
    require_vectors(queries, n, box->index->d, "query");
    require_range("number of neighbours", k, 1, box->index->ntotal);
    require_rows(distances, n, k, "distances");
    require_rows(labels, n, k, "labels");
    if (n == 0) return;
    box->index->search(n, queries, k, distances, labels);
    for (int64_t row = 0; row < n; ++row) {
      const float* d = distances + row * k;
      int64_t* l = labels + row * k;
      for (int64_t first = 0, last; first < k && l[first] >= 0; first = last) {
        for (last = first + 1; last < k && d[last] == d[first] && l[last] >= 0; ++last) {
        }
        if (last - first > 1) std::sort(l + first, l + last);
      }
    }
  });
}

// All vectors nearer than `radius` (inner product: above it). The answer is copied out with rs_faiss_range_copy and given back once
// with rs_faiss_range_delete.
RS_FAISS_EXPORT int rs_faiss_index_range(void* handle, const float* queries, int64_t n, float radius, void** answer, int64_t* total,
                                        char* error, int64_t error_size) {
  return guarded(error, error_size, [&] {
    auto* box = usable(handle);
    require_vectors(queries, n, box->index->d, "query");
    required(answer, total);
    if (!std::isfinite(radius)) throw std::invalid_argument("a radius that is not finite");
    // An inverted file without lists would look into whatever memory held, on a thread of OpenMP, where a fault ends the process.
    if (!box->index->is_trained) throw std::invalid_argument("it is not trained; call Train first");
    auto result = std::make_unique<faiss::RangeSearchResult>(n);
    if (n > 0) box->index->range_search(n, queries, radius, result.get());
    *total = static_cast<int64_t>(result->lims[n]);
    *answer = result.release();
  });
}

// limits [queries + 1], distances [total], labels [total], within a query nearest first and ties in ascending label order: FAISS leaves
// them in the order in which it met them.
RS_FAISS_EXPORT int rs_faiss_range_copy(const void* answer, int32_t largest_first, int64_t* limits, float* distances, int64_t* labels,
                                       char* error, int64_t error_size) {
  return guarded(error, error_size, [&] {
    const auto* result = static_cast<const faiss::RangeSearchResult*>(answer);
    required(answer, limits);
    if (result->lims[result->nq] > 0) required(distances, labels);
    for (size_t i = 0; i <= result->nq; ++i) limits[i] = static_cast<int64_t>(result->lims[i]);
    std::vector<std::pair<float, int64_t>> found;
    for (size_t query = 0; query < result->nq; ++query) {
      found.clear();
      for (size_t i = result->lims[query]; i < result->lims[query + 1]; ++i) {
        found.emplace_back(largest_first ? -result->distances[i] : result->distances[i], result->labels[i]);
      }
      std::sort(found.begin(), found.end());
      for (size_t i = 0, at = result->lims[query]; i < found.size(); ++i, ++at) {
        distances[at] = largest_first ? -found[i].first : found[i].first;
        labels[at] = found[i].second;
      }
    }
  });
}

RS_FAISS_EXPORT void rs_faiss_range_delete(void* answer) {
  try {
    delete static_cast<faiss::RangeSearchResult*>(answer);
  } catch (...) {
  }
}

// Removes what carries one of the labels; `removed` counts the vectors.
RS_FAISS_EXPORT int rs_faiss_index_remove(void* handle, const int64_t* labels, int64_t n, int64_t* removed, char* error,
                                         int64_t error_size) {
  return guarded(error, error_size, [&] {
    auto* box = usable(handle);
    required(removed);
    require_rows(labels, n, 1, "labels");
    faiss::IDSelectorBatch chosen(n, labels);
    changing(box, [&] {
      auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(base(box->index.get()));
      *removed = hnsw != nullptr ? remove_from_graph(box, *hnsw, chosen) : static_cast<int64_t>(box->index->remove_ids(chosen));
      // An inverted file keeps its labels, so that numbering on from its count would give one label twice.
      if (*removed > 0 && dynamic_cast<faiss::IndexIVF*>(box->index.get()) != nullptr) box->own_ids = true;
    });
  });
}

// what: 0 probes of an inverted file, 1 candidates of an HNSW search, 2 beam of a residual quantizer.
RS_FAISS_EXPORT int rs_faiss_index_set(void* handle, int32_t what, int64_t value, char* error, int64_t error_size) {
  return guarded(error, error_size, [&] {
    faiss::Index* index = base(usable(handle)->index.get());
    auto* ivf = dynamic_cast<faiss::IndexIVF*>(index);
    auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(index);
    auto* rq = dynamic_cast<faiss::IndexResidualQuantizer*>(index);
    if (what == 0 && ivf != nullptr) {
      require_range("probes", value, 1, static_cast<int64_t>(ivf->nlist));
      ivf->nprobe = static_cast<size_t>(value);
    } else if (what == 1 && hnsw != nullptr) {
      require_range("search candidates", value, 1, kMostCandidates);
      hnsw->hnsw.efSearch = static_cast<int>(value);
    } else if (what == 2 && rq != nullptr) {
      require_range("beam", value, 1, kMostBeam);
      rq->rq.max_beam_size = static_cast<int>(value);
    } else {
      throw std::invalid_argument("this kind of index has no such parameter");
    }
  });
}
#endif
