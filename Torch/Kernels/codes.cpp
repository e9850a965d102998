// Residual codes out of inner products alone. With r_d = x − e_{c_1} − … − e_{c_d−1}, the cost of code j at level d, up to what all
// tuples of a row share, is  ‖e_j‖² + p_j − 2 x·e_j + 2 Σ_i e_{c_i}·e_j : the products of x with all codes come from one matrix
// product, those of the codes with each other from a table. No residual is ever formed (FAISS calls it "beam search with LUT").
#include "vector.h"

#include <vector>

using namespace recsys;

// Kept in step with Recsys.Torch.Kernels.ResidualCodesCall.
struct ResidualCodesCall {
  int64_t rows, levels, total, beam;  // total: codes of all levels, each level's number a multiple of 16
  const int64_t* starts;              // [levels + 1] where each level's codes start
  const float* base;                  // [total] ‖e‖² + price, infinite for a code that is filled up
  const float* between;               // [total, total] 2 e_i·e_j
  const float* scores;                // [rows, total] x·e
  uint16_t* codes;                    // [rows, levels]
};

namespace {

constexpr int64_t kBlock = 64;  // costs whose smallest is looked at before any of them is

struct Kept {
  float cost;
  int32_t parent, code;
};

// costs[j] = paid + base[j] − 2 score[j] + Σ between rows[i][j]
RS_VECTOR void cost_all(const float* base, const float* score, const float* const* rows, int64_t count, float paid, int64_t n, float* costs) {
  for (int64_t j = 0; j < n; j += kLanes) {
    Floats v = load(base + j) - load(score + j) * 2.0f + paid;
    for (int64_t i = 0; i < count; i++) v += load(rows[i] + j);
    store(costs + j, v);
  }
}

RS_VECTOR float smallest(const float* x, int64_t n) {
  Floats least = load(x);
  for (int64_t j = kLanes; j < n; j += kLanes) {
    Floats v = load(x + j);
    least = v < least ? v : least;
  }
  return -largest(-least);
}

// The best so far, sorted; of equal costs the earlier parent and then the smaller code stays in front.
int64_t insert(Kept* best, int64_t count, int64_t beam, Kept next) {
  int64_t at = count < beam ? count : beam - 1;
  for (; at > 0 && best[at - 1].cost > next.cost; at--) best[at] = best[at - 1];
  best[at] = next;
  return count < beam ? count + 1 : beam;
}

struct Room {
  std::vector<float> costs;
  std::vector<Kept> best;
  std::vector<int32_t> paths, next;  // [beam, levels]
  std::vector<float> paid;
  std::vector<const float*> rows;
};

void encode_row(const ResidualCodesCall& c, int64_t row, Room& room) {
  const float* score = c.scores + row * c.total;
  int64_t kept = 1;
  room.paid[0] = 0;
  for (int64_t level = 0; level < c.levels; level++) {
    int64_t first = c.starts[level], n = c.starts[level + 1] - first, count = 0;
    for (int64_t b = 0; b < kept; b++) {
      for (int64_t i = 0; i < level; i++) {
        room.rows[i] = c.between + (c.starts[i] + room.paths[b * c.levels + i]) * c.total + first;
      }
      cost_all(c.base + first, score + first, room.rows.data(), level, room.paid[b], n, room.costs.data());
      for (int64_t j0 = 0; j0 < n; j0 += kBlock) {
        int64_t end = std::min(n, j0 + kBlock);
        float least = smallest(room.costs.data() + j0, end - j0);
        if (count == c.beam && least >= room.best[c.beam - 1].cost) continue;
        for (int64_t j = j0; j < end; j++) {
          float cost = room.costs[j];
          if (count < c.beam || cost < room.best[count - 1].cost) {
            count = insert(room.best.data(), count, c.beam, {cost, static_cast<int32_t>(b), static_cast<int32_t>(j)});
          }
        }
      }
    }
    for (int64_t b = 0; b < count; b++) {
      const Kept& k = room.best[b];
      for (int64_t i = 0; i < level; i++) room.next[b * c.levels + i] = room.paths[k.parent * c.levels + i];
      room.next[b * c.levels + level] = k.code;
      room.paid[b] = k.cost;
    }
    room.paths.swap(room.next);
    kept = count;
  }
  for (int64_t level = 0; level < c.levels; level++) c.codes[row * c.levels + level] = static_cast<uint16_t>(room.paths[level]);
}

}  // namespace

RS_EXPORT void rs_residual_codes(const ResidualCodesCall* call) {
  const ResidualCodesCall& c = *call;
  int64_t widest = widest_level(c.starts, c.levels);
#pragma omp parallel
  {
    Room room;
    room.costs.resize(static_cast<size_t>(widest));
    room.best.resize(static_cast<size_t>(c.beam));
    room.paths.resize(static_cast<size_t>(c.beam * c.levels));
    room.next.resize(static_cast<size_t>(c.beam * c.levels));
    room.paid.resize(static_cast<size_t>(c.beam));
    room.rows.resize(static_cast<size_t>(c.levels));
#pragma omp for schedule(static)
    for (int64_t row = 0; row < c.rows; row++) encode_row(c, row, room);
  }
}
