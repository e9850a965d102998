// FAISS's residual quantizer (Chen, Guan and Wang 2010: beam search over residual codebooks): trained, or made from given codebooks.
#include "abi.h"

#include <faiss/impl/ResidualQuantizer.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

using faiss::ResidualQuantizer;
using recsys_faiss::guarded;

namespace {
// Distances and residuals that an encoding holds at once.
constexpr int64_t kBlockBytes = int64_t{256} << 20;

std::unique_ptr<ResidualQuantizer> make(int64_t dim, const int32_t* bits, int64_t levels) {
  auto rq = std::make_unique<ResidualQuantizer>(dim, std::vector<size_t>(bits, bits + levels));
  rq->train_type |= ResidualQuantizer::Skip_codebook_tables;  // for searches over codes, which nobody does here
  rq->max_mem_distances = kBlockBytes;
  return rq;
}
}  // namespace

// x [n, dim], n at least the entries of the largest codebook; level l gets 2^bits[l] entries.
RF_EXPORT int rf_rq_train(int64_t dim, const int32_t* bits, int64_t levels, const float* x, int64_t n, int32_t beam, int32_t iterations,
                          int32_t seed, void** out) {
  return guarded([&] {
    auto rq = make(dim, bits, levels);
    rq->max_beam_size = beam;
    rq->cp.niter = iterations;
    rq->cp.seed = seed;
    rq->cp.min_points_per_centroid = 1;
    rq->train(n, x);
    *out = rq.release();
  });
}

// codebooks [sum of 2^bits, dim], one level after the other; also what rf_rq_codebooks gives.
RF_EXPORT int rf_rq_new(int64_t dim, const int32_t* bits, int64_t levels, const float* codebooks, void** out) {
  return guarded([&] {
    auto rq = make(dim, bits, levels);
    rq->codebooks.assign(codebooks, codebooks + rq->total_codebook_size * dim);
    rq->is_trained = true;
    *out = rq.release();
  });
}

RF_EXPORT int rf_rq_codebooks(const void* handle, float* codebooks) {
  return guarded([&] {
    const auto& from = static_cast<const ResidualQuantizer*>(handle)->codebooks;
    std::memcpy(codebooks, from.data(), sizeof(float) * from.size());
  });
}

// x [n, dim]; codes [n, levels].
RF_EXPORT int rf_rq_encode(const void* handle, const float* x, int64_t n, int32_t beam, int32_t* codes) {
  return guarded([&] {
    const auto& rq = *static_cast<const ResidualQuantizer*>(handle);
    const int64_t dim = rq.d, levels = rq.M;
    // The beam that is left at the end is smaller than asked for where there are fewer combinations; FAISS lays its codes out by that.
    int64_t width = 1, entries = 1;
    for (size_t bits : rq.nbits) {
      width = std::min<int64_t>(width << bits, beam);
      entries = std::max(entries, int64_t{1} << bits);
    }
    const int64_t row = static_cast<int64_t>(sizeof(float)) * beam * (entries + 2 * dim);
    const int64_t block = std::clamp<int64_t>(kBlockBytes / row, 1, std::max<int64_t>(n, 1));
    std::vector<int32_t> beams(block * width * levels);
    for (int64_t from = 0; from < n; from += block) {
      const int64_t count = std::min(block, n - from);
      rq.refine_beam(count, 1, x + from * dim, static_cast<int>(width), beams.data());
      for (int64_t i = 0; i < count; ++i) {  // the best of each beam is its first
        std::memcpy(codes + (from + i) * levels, &beams[i * width * levels], sizeof(int32_t) * levels);
      }
    }
  });
}

RF_EXPORT void rf_rq_free(void* handle) { delete static_cast<ResidualQuantizer*>(handle); }
