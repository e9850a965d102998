// Lloyd's k-means by FAISS, with k-means++ seeding.
#include "faiss.h"
#ifdef RECSYS_FAISS
#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>
#include <faiss/utils/distances.h>
#include <faiss/utils/random.h>

#include <limits>
#include <random>
#include <vector>

using namespace recsys_faiss;

namespace {
// k-means++ (Arthur and Vassilvitskii 2007): each next seed is drawn with probability proportional to weight * D(x)^2.
std::vector<float> plus_plus(const float* x, const float* weights, int64_t n, int64_t dim, int64_t k, int64_t seed) {
  std::mt19937_64 generator(static_cast<uint64_t>(seed));
  auto uniform = [&] { return static_cast<double>(generator() >> 11) * 0x1.0p-53; };
  std::vector<double> mass(n);
  std::vector<float> nearest(n, std::numeric_limits<float>::max());
  for (int64_t i = 0; i < n; ++i) mass[i] = weights ? weights[i] : 1.0;
  std::vector<float> centroids(k * dim);
  std::vector<char> taken(n, 0);
  for (int64_t c = 0; c < k; ++c) {
    double total = 0;
    for (int64_t i = 0; i < n; ++i) total += mass[i];
    int64_t pick = -1;
    if (total > 0) {
      double left = uniform() * total;
      for (int64_t i = 0; i < n; ++i) {
        if (mass[i] <= 0) continue;
        pick = i;
        left -= mass[i];
        if (left < 0) break;
      }
    } else {  // fewer distinct points than centroids: any point not yet taken
      int64_t start = static_cast<int64_t>(uniform() * n);
      for (int64_t step = 0; step < n && pick < 0; ++step) {
        if (!taken[(start + step) % n]) pick = (start + step) % n;
      }
    }
    taken[pick] = 1;
    std::memcpy(&centroids[c * dim], x + pick * dim, sizeof(float) * dim);
#pragma omp parallel for if (n * dim > 65536)
    for (int64_t i = 0; i < n; ++i) {
      float distance = faiss::fvec_L2sqr(x + i * dim, &centroids[c * dim], dim);
      if (distance < nearest[i]) nearest[i] = distance;
      mass[i] = static_cast<double>(nearest[i]) * (weights ? weights[i] : 1.0);
    }
  }
  return centroids;
}

// FAISS splits a cluster to refill an empty one by drawing until (weight of the cluster - 1) / (n - k) is above a random number: with
// light weights it would draw for ever. So weights are made to sum to at least n, by a power of two, which changes no mean; and the
// sample that is trained on is drawn here, as FAISS draws it, because what counts is the sum over the sample.
struct WeightedSample {
  std::vector<float> x, weights;

  WeightedSample(const float* all, const float* all_weights, int64_t n, int64_t dim, int64_t most, int seed) {
    std::vector<int> order(n);
    if (n > most) {
      faiss::rand_perm(order.data(), n, seed);
    } else {
      for (int64_t i = 0; i < n; ++i) order[i] = static_cast<int>(i);
    }
    int64_t kept = std::min(n, most);
    x.resize(kept * dim);
    weights.resize(kept);
    double sum = 0;
    for (int64_t i = 0; i < kept; ++i) {
      std::memcpy(&x[i * dim], all + order[i] * dim, sizeof(float) * dim);
      sum += weights[i] = all_weights[order[i]];
    }
    if (!(sum > 0)) {
      throw std::invalid_argument("all points of the training sample weigh 0; leave out what weighs nothing, or sample more points per centroid");
    }
    int shift = 0;
    while (std::ldexp(sum, shift) < static_cast<double>(kept)) ++shift;
    for (float& w : weights) w = std::ldexp(w, shift);
  }

  int64_t size() const { return static_cast<int64_t>(weights.size()); }
};
}  // namespace

struct RecsysKMeansOptions {
  int64_t dim, k, iterations, redo, seed, min_points_per_centroid, max_points_per_centroid;
  int32_t spherical, plus_plus;
};

namespace {
// FAISS takes these for granted; a weight that is no number would make it draw for ever.
void require_options(const RecsysKMeansOptions& o, bool random_seeding) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  require_range("iterations", o.iterations, random_seeding ? 1 : 0, kMost);
  require_range("restarts", o.redo, 0, kMost);
  require_range("least points of a centroid", o.min_points_per_centroid, 0, kMost);
  require_range("most points of a centroid", o.max_points_per_centroid, 1, kMost);
}

void require_weights(const float* weights, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; weights != nullptr && i < n; ++i) {
    if (!(weights[i] >= 0) || std::isinf(weights[i])) throw std::invalid_argument("weight of point " + std::to_string(i) + " must be finite and not negative");
    sum += weights[i];
  }
  if (weights != nullptr && !(sum > 0)) throw std::invalid_argument("all weights are 0; at least one point must weigh something");
}
}  // namespace

// x [n, dim]; weights [n] or null; initial [k, dim] or null; centroids [k, dim]; assignment [n] or null;
// objective: weighted sum of squared distances of all n points to their centroid (spherical: of inner products).
RS_FAISS_EXPORT int rs_faiss_kmeans(const RecsysKMeansOptions* options, const float* x, int64_t n, const float* weights,
                                   const float* initial, float* centroids, int64_t* assignment, double* objective,
                                   char* error, int64_t error_size) {
  return guarded(error, error_size, [&] {
    required(options, centroids, objective);
    const auto& o = *options;
    require_range("dimension", o.dim, 1, std::numeric_limits<int32_t>::max());
    require_vectors(x, n, o.dim, "data");
    require_range("number of centroids", o.k, 1, std::min<int64_t>(n, std::numeric_limits<int32_t>::max()));
    require_options(o, initial == nullptr && !o.plus_plus);
    require_weights(weights, n);
    if (initial != nullptr) require_vectors(initial, o.k, o.dim, "initial centroid");
    std::vector<float> unit;
    if (o.spherical) {
      unit.assign(x, x + n * o.dim);
      faiss::fvec_renorm_L2(o.dim, n, unit.data());
      x = unit.data();
    }
    faiss::ClusteringParameters parameters;
    parameters.niter = static_cast<int>(o.iterations);
    parameters.nredo = 1;
    parameters.spherical = o.spherical != 0;
    parameters.min_points_per_centroid = static_cast<int>(o.min_points_per_centroid);
    parameters.max_points_per_centroid = static_cast<int>(o.max_points_per_centroid);
    auto make_index = [&]() -> std::unique_ptr<faiss::IndexFlat> {
      if (o.spherical) return std::make_unique<faiss::IndexFlatIP>(o.dim);
      return std::make_unique<faiss::IndexFlatL2>(o.dim);
    };
    std::vector<faiss::Index::idx_t> labels(n);
    std::vector<float> distances(n);
    bool have_best = false;
    for (int64_t round = 0; round < std::max<int64_t>(o.redo, 1); ++round) {
      auto seed = static_cast<int64_t>(static_cast<uint64_t>(o.seed) + static_cast<uint64_t>(round));  // may wrap around
      parameters.seed = static_cast<int>(seed & 0x7fffffff);
      faiss::Clustering clustering(static_cast<int>(o.dim), static_cast<int>(o.k), parameters);
      if (initial != nullptr) {
        clustering.centroids.assign(initial, initial + o.k * o.dim);
      } else if (o.plus_plus) {
        clustering.centroids = plus_plus(x, weights, n, o.dim, o.k, seed);
      }
      auto index = make_index();
      if (o.iterations > 0 && weights != nullptr) {
        WeightedSample sample(x, weights, n, o.dim, o.k * o.max_points_per_centroid, parameters.seed);
        clustering.train(sample.size(), sample.x.data(), *index, sample.weights.data());
      } else if (o.iterations > 0) {
        clustering.train(n, x, *index);
      }
      if (clustering.centroids.size() != static_cast<size_t>(o.k * o.dim)) {
        throw std::invalid_argument("no iterations and no initial centroids");
      }
      auto final_index = make_index();
      final_index->add(o.k, clustering.centroids.data());
      final_index->search(n, x, 1, distances.data(), labels.data());
      double sum = 0;  // recomputed exactly: the search's expanded form loses digits
      for (int64_t i = 0; i < n; ++i) {
        if (labels[i] < 0) throw std::runtime_error("point " + std::to_string(i) + " is nearest to no centroid");
        const float* c = &clustering.centroids[labels[i] * o.dim];
        double value = o.spherical ? faiss::fvec_inner_product(x + i * o.dim, c, o.dim)
                                   : faiss::fvec_L2sqr(x + i * o.dim, c, o.dim);
        sum += value * (weights ? weights[i] : 1.0);
      }
      if (have_best && (o.spherical ? sum <= *objective : sum >= *objective)) continue;
      have_best = true;
      *objective = sum;
      std::memcpy(centroids, clustering.centroids.data(), sizeof(float) * o.k * o.dim);
      if (assignment != nullptr) std::memcpy(assignment, labels.data(), sizeof(int64_t) * n);
    }
  });
}
#endif
