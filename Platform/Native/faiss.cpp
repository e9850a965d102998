// k-means and flat (exact) indexes of FAISS behind a C ABI.
// Every export returns 0 for success, 1 for a fault; the fault's message is copied into `error`. Nothing is thrown across.
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>

#define RS_FAISS_EXPORT extern "C" __attribute__((visibility("default")))

namespace {
void copy_error(const char* what, char* error, int64_t size) {
    if (error == nullptr || size <= 0) return;
    std::strncpy(error, what, static_cast<size_t>(size) - 1);
    error[size - 1] = '\0';
}

template <typename Body>
int guarded(char* error, int64_t size, Body&& body) noexcept {
    try {
        body();
        return 0;
    } catch (const std::exception& e) {
        copy_error(e.what(), error, size);
    } catch (...) {
        copy_error("unknown native fault", error, size);
    }
    return 1;
}
}  // namespace

#ifdef RECSYS_FAISS
#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>
#include <faiss/utils/distances.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

namespace {
void require_finite(const float* x, int64_t count, int64_t dim, const char* what) {
    for (int64_t i = 0; i < count * dim; ++i) {
        if (!std::isfinite(x[i])) {
            throw std::invalid_argument(std::string(what) + " row " + std::to_string(i / dim) + ", component " +
                                        std::to_string(i % dim) + " is not finite");
        }
    }
}

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
}  // namespace

struct RecsysKMeansOptions {
    int64_t dim, k, iterations, redo, seed, min_points_per_centroid, max_points_per_centroid;
    int32_t spherical, plus_plus;
};

// x [n, dim]; weights [n] or null; initial [k, dim] or null; centroids [k, dim]; assignment [n] or null;
// objective: weighted sum of squared distances of all n points to their centroid (spherical: of inner products).
RS_FAISS_EXPORT int rs_faiss_kmeans(const RecsysKMeansOptions* options, const float* x, int64_t n, const float* weights,
                                   const float* initial, float* centroids, int64_t* assignment, double* objective,
                                   char* error, int64_t error_size) {
    return guarded(error, error_size, [&] {
        const auto& o = *options;
        require_finite(x, n, o.dim, "data");
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
            parameters.seed = static_cast<int>((o.seed + round) & 0x7fffffff);
            faiss::Clustering clustering(static_cast<int>(o.dim), static_cast<int>(o.k), parameters);
            if (initial != nullptr) {
                clustering.centroids.assign(initial, initial + o.k * o.dim);
            } else if (o.plus_plus) {
                clustering.centroids = plus_plus(x, weights, n, o.dim, o.k, o.seed + round);
            }
            auto index = make_index();
            if (o.iterations > 0) clustering.train(n, x, *index, weights);
            if (clustering.centroids.size() != static_cast<size_t>(o.k * o.dim)) {
                throw std::invalid_argument("no iterations and no initial centroids");
            }
            auto final_index = make_index();
            final_index->add(o.k, clustering.centroids.data());
            final_index->search(n, x, 1, distances.data(), labels.data());
            double sum = 0;  // recomputed exactly: the search's expanded form loses digits
            for (int64_t i = 0; i < n; ++i) {
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

RS_FAISS_EXPORT int rs_faiss_flat_new(int64_t dim, int32_t inner_product, void** index, char* error, int64_t error_size) {
    return guarded(error, error_size, [&] {
        *index = inner_product ? static_cast<faiss::IndexFlat*>(new faiss::IndexFlatIP(dim))
                               : static_cast<faiss::IndexFlat*>(new faiss::IndexFlatL2(dim));
    });
}

RS_FAISS_EXPORT int rs_faiss_flat_add(void* index, const float* x, int64_t n, char* error, int64_t error_size) {
    return guarded(error, error_size, [&] {
        auto* flat = static_cast<faiss::IndexFlat*>(index);
        require_finite(x, n, flat->d, "vector");
        flat->add(n, x);
    });
}

// queries [n, dim] -> distances [n, k], labels [n, k], nearest first; returned ties stand in ascending label order.
RS_FAISS_EXPORT int rs_faiss_flat_search(void* index, const float* queries, int64_t n, int64_t k, float* distances,
                                        int64_t* labels, char* error, int64_t error_size) {
    return guarded(error, error_size, [&] {
        auto* flat = static_cast<faiss::IndexFlat*>(index);
        require_finite(queries, n, flat->d, "query");
        flat->search(n, queries, k, distances, labels);
        for (int64_t row = 0; row < n; ++row) {
            const float* d = distances + row * k;
            int64_t* l = labels + row * k;
            for (int64_t first = 0, last; first < k; first = last) {
                for (last = first + 1; last < k && d[last] == d[first]; ++last) {
                }
                if (last - first > 1) std::sort(l + first, l + last);
            }
        }
    });
}

RS_FAISS_EXPORT void rs_faiss_flat_delete(void* index) {
    try {
        delete static_cast<faiss::IndexFlat*>(index);
    } catch (...) {
    }
}

RS_FAISS_EXPORT int rs_faiss_available() { return 1; }
#else
namespace {
const char* kAbsent = "this native library was built without FAISS; install libfaiss-dev and build it again";
}
RS_FAISS_EXPORT int rs_faiss_kmeans(const void*, const float*, int64_t, const float*, const float*, float*, int64_t*,
                                   double*, char* error, int64_t error_size) {
    copy_error(kAbsent, error, error_size);
    return 1;
}
RS_FAISS_EXPORT int rs_faiss_flat_new(int64_t, int32_t, void**, char* error, int64_t error_size) {
    copy_error(kAbsent, error, error_size);
    return 1;
}
RS_FAISS_EXPORT int rs_faiss_flat_add(void*, const float*, int64_t, char* error, int64_t error_size) {
    copy_error(kAbsent, error, error_size);
    return 1;
}
RS_FAISS_EXPORT int rs_faiss_flat_search(void*, const float*, int64_t, int64_t, float*, int64_t*, char* error,
                                        int64_t error_size) {
    copy_error(kAbsent, error, error_size);
    return 1;
}
RS_FAISS_EXPORT void rs_faiss_flat_delete(void*) {}
RS_FAISS_EXPORT int rs_faiss_available() { return 0; }
#endif
