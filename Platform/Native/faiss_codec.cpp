// Product and residual quantizers as codecs: vectors to packed codes and back, and their codebooks.
#include "faiss.h"
#ifdef RECSYS_FAISS
#include <faiss/IndexAdditiveQuantizer.h>
#include <faiss/IndexPQ.h>

using namespace recsys_faiss;

namespace {
faiss::IndexFlatCodes* codec(void* handle) {
  auto* index = base(usable(handle)->index.get());
  auto* codes = dynamic_cast<faiss::IndexFlatCodes*>(index);
  if (codes == nullptr) throw std::invalid_argument("this kind of index is no codec");
  if (!codes->is_trained) throw std::invalid_argument("it is not trained; call Train first");
  return codes;
}
}  // namespace

// x [n, dim] -> codes [n, code bytes]
RS_FAISS_EXPORT int rs_faiss_index_encode(void* handle, const float* x, int64_t n, uint8_t* codes, char* error, int64_t error_size) {
  return guarded(error, error_size, [&] {
    auto* index = codec(handle);
    require_vectors(x, n, index->d, "vector");
    require_rows(codes, n, index->code_size, "codes");
    if (n == 0) return;
    index->sa_encode(n, x, codes);
  });
}

// codes [n, code bytes] -> x [n, dim]; every code is valid, because a codebook has a power of two of entries.
RS_FAISS_EXPORT int rs_faiss_index_decode(void* handle, const uint8_t* codes, int64_t n, float* x, char* error, int64_t error_size) {
  return guarded(error, error_size, [&] {
    auto* index = codec(handle);
    require_rows(codes, n, index->code_size, "codes");
    require_rows(x, n, index->d, "vectors");
    if (n > 0) index->sa_decode(n, codes, x);
  });
}

// Product: [parts, entries, dim / parts]; residual: [levels, entries, dim]. With codebooks null only the number of values.
RS_FAISS_EXPORT int rs_faiss_index_codebooks(void* handle, float* codebooks, int64_t* values, char* error, int64_t error_size) {
  return guarded(error, error_size, [&] {
    required(values);
    auto* index = codec(handle);
    const std::vector<float>* found = nullptr;
    if (auto* pq = dynamic_cast<faiss::IndexPQ*>(index)) found = &pq->pq.centroids;
    if (auto* rq = dynamic_cast<faiss::IndexResidualQuantizer*>(index)) found = &rq->rq.codebooks;
    if (found == nullptr) throw std::invalid_argument("this kind of index has no codebooks");
    *values = static_cast<int64_t>(found->size());
    if (codebooks != nullptr) std::memcpy(codebooks, found->data(), found->size() * sizeof(float));
  });
}
#endif
