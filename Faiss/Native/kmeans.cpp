// Lloyd's k-means by FAISS, from its own random sample or from k-means++ seeds.
#include "abi.h"

#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

typedef int32_t (*rf_nearest)(void* context, const float* x, int64_t n, const float* centroids, int64_t k, int64_t dim, int64_t* labels);

namespace {
// Points that k-means++ draws a seed from, for each seed and at least: a seed takes a pass over all of them.
constexpr int64_t kPointsPerSeed = 64, kLeastPoints = 16384;

// FAISS's own, built for any x86-64, takes four floats at once.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) float distance(const float* a, const float* b, int64_t dim) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < dim; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

// k-means++ (Arthur and Vassilvitskii 2007): each next seed is drawn with probability proportional to D(x)^2.
std::vector<float> plus_plus(const float* all, int64_t count, int64_t dim, int64_t k, int64_t seed) {
  int64_t n = std::min(count, std::max(kPointsPerSeed * k, kLeastPoints));
  std::vector<float> sample;
  const float* x = all;
  if (n < count) {
    sample.resize(n * dim);
    for (int64_t i = 0; i < n; ++i) std::memcpy(&sample[i * dim], all + i * count / n * dim, sizeof(float) * dim);
    x = sample.data();
  }
  std::mt19937_64 generator(static_cast<uint64_t>(seed));
  auto uniform = [&] { return static_cast<double>(generator() >> 11) * 0x1.0p-53; };
  std::vector<double> mass(n, 1.0);
  std::vector<float> nearest(n, std::numeric_limits<float>::max()), centroids(k * dim);
  std::vector<char> taken(n, 0);
  for (int64_t c = 0; c < k; ++c) {
    double total = 0;
    for (double m : mass) total += m;
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
      auto start = static_cast<int64_t>(uniform() * n);
      for (int64_t step = 0; step < n && pick < 0; ++step) {
        if (!taken[(start + step) % n]) pick = (start + step) % n;
      }
    }
    taken[pick] = 1;
    std::memcpy(&centroids[c * dim], x + pick * dim, sizeof(float) * dim);
#pragma omp parallel for if (n * dim > 65536)
    for (int64_t i = 0; i < n; ++i) {
      nearest[i] = std::min(nearest[i], distance(x + i * dim, &centroids[c * dim], dim));
      mass[i] = nearest[i];
    }
  }
  return centroids;
}

// Where Clustering looks for the nearest centroids: with the caller's function, or FAISS's own way without one.
struct Centroids : faiss::IndexFlatL2 {
  rf_nearest nearest;
  void* context;

  Centroids(int64_t dim, rf_nearest nearest, void* context) : IndexFlatL2(dim), nearest(nearest), context(context) {}

  void search(idx_t n, const float* x, idx_t k, float* distances, idx_t* labels, const faiss::SearchParameters* parameters = nullptr) const override {
    if (!nearest) return IndexFlatL2::search(n, x, k, distances, labels, parameters);
    std::memset(distances, 0, sizeof(float) * n);  // Clustering prints their sum
    if (nearest(context, x, n, get_xb(), ntotal, d, labels) != 0) throw std::runtime_error("the caller's search for the nearest centroids failed");
  }
};
}  // namespace

// x [n, dim]; centroids [k, dim]; assignment [n]; objective: sum of squared distances of all n points to their centroid.
// Runs from seed, seed + 1, ... and keeps the best. nearest (may be null): labels[i] of the centroid nearest to x[i], of k; 0, or failed.
RF_EXPORT int rf_kmeans(const float* x, int64_t n, int64_t dim, int64_t k, int32_t iterations, int32_t restarts, int64_t seed,
                        int32_t seed_plus_plus, rf_nearest nearest, void* context, float* centroids, int64_t* assignment, double* objective) {
  return recsys_faiss::guarded([&] {
    faiss::ClusteringParameters parameters;
    parameters.niter = iterations;
    parameters.min_points_per_centroid = 1;  // below the default of 39 FAISS warns on standard error; that is the caller's choice
    std::vector<int64_t> labels(n);
    std::vector<float> distances(n);
    for (int32_t run = 0; run < restarts; ++run) {
      parameters.seed = static_cast<int>((seed + run) & 0x7fffffff);
      faiss::Clustering clustering(static_cast<int>(dim), static_cast<int>(k), parameters);
      if (seed_plus_plus) clustering.centroids = plus_plus(x, n, dim, k, seed + run);
      Centroids index(dim, nearest, context);
      if (iterations > 0) clustering.train(n, x, index);
      index.reset();
      index.add(k, clustering.centroids.data());
      index.search(n, x, 1, distances.data(), labels.data());
      double sum = 0;  // recomputed: the search's |x|^2 - 2xc + |c|^2 loses digits
      for (int64_t i = 0; i < n; ++i) sum += distance(x + i * dim, &clustering.centroids[labels[i] * dim], dim);
      if (run > 0 && sum >= *objective) continue;
      *objective = sum;
      std::memcpy(centroids, clustering.centroids.data(), sizeof(float) * k * dim);
      std::memcpy(assignment, labels.data(), sizeof(int64_t) * n);
    }
  });
}
