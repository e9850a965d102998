// What an index may be made from. The limits are those of Recsys.Faiss; FAISS itself divides by, allocates and indexes with these
// numbers unchecked.
#include "faiss.h"
#ifdef RECSYS_FAISS

namespace recsys_faiss {
void require_range(const char* what, int64_t value, int64_t least, int64_t most) {
  if (value < least || value > most) {
    throw std::invalid_argument(std::string(what) + " " + std::to_string(value) + " must be between " + std::to_string(least) + " and " + std::to_string(most));
  }
}

void require_spec(const RecsysIndexSpec& s) {
  require_range("kind of index", s.kind, kFlat, kHnsw);
  require_range("dimension", s.dim, 1, kMostDimensions);
  if (s.kind == kIvfFlat || s.kind == kIvfProduct) {
    require_range("number of lists", s.lists, 1, kMostLists);
  }
  if (s.kind == kProduct || s.kind == kIvfProduct) {
    require_range("number of parts", s.parts, 1, s.dim);
    if (s.dim % s.parts != 0) throw std::invalid_argument(std::to_string(s.parts) + " parts do not divide dimension " + std::to_string(s.dim));
    require_range("bits of a code", s.bits, 1, s.kind == kProduct ? 12 : 8);
  }
  if (s.kind == kResidual) {
    require_range("number of levels", s.parts, 1, 64);
    require_range("bits of a code", s.bits, 1, 12);
    require_range("entries of all levels", s.parts << s.bits, 1, 65536);
    require_range("beam", s.beam, 1, kMostBeam);
  }
  if (s.kind == kHnsw) {
    require_range("number of links", s.parts, 2, 512);
    require_range("build candidates", s.ef_construction, 1, kMostCandidates);
  }
}
}  // namespace recsys_faiss
#endif
