// Matrix products, and what else libtorch takes from BLAS and LAPACK, to the same bytes on any number of threads. A product is cut into
// tiles whose size follows from its shape alone, each computed by one thread; one that is much longer than wide is also cut along its
// length, and the parts are added in order. OpenBLAS's own threads cut by their number, which moves the last bits, and on a model's
// narrow products reach half of this. A libtorch with MKL inside takes nothing from BLAS: it is left as it is.
#include "imports.h"
#include "shares.h"

#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

namespace recsys {
namespace {

// BLAS's interface: Fortran's, column by column, every argument by address.
template <typename T>
using Gemm = void (*)(const char*, const char*, const int*, const int*, const int*, const T*, const T*, const int*, const T*, const int*, const T*, T*, const int*);
template <typename T>
using Gemv = void (*)(const char*, const int*, const int*, const T*, const T*, const int*, const T*, const int*, const T*, T*, const int*);
using DnnlSgemm = int (*)(char, char, int64_t, int64_t, int64_t, float, const float*, int64_t, const float*, int64_t, float, float*, int64_t);

constexpr int64_t kWide = 256, kLong = 512;       // the largest tile, rows and columns of Fortran's matrix
constexpr int64_t kNarrow = 64;                   // its sides are not cut below this
constexpr int64_t kUnits = 16;                    // tiles aimed at
constexpr int64_t kWork = int64_t{1} << 20;       // multiplications that are worth waking a thread for
constexpr int64_t kDeep = 2048;                   // terms of a sum that one thread adds up

template <typename T>
struct Blas {
  static Gemm<T> gemm;
  static Gemv<T> gemv;
};
template <typename T>
Gemm<T> Blas<T>::gemm = nullptr;
template <typename T>
Gemv<T> Blas<T>::gemv = nullptr;
DnnlSgemm dnnl_sgemm = nullptr;

template <typename T>
struct Product {
  char ta, tb;
  int64_t m, n, k;
  T alpha;
  const T* a;
  int64_t lda;
  const T* b;
  int64_t ldb;
  T beta;
  T* c;
  int64_t ldc;

  // c's rows from i, columns from j, the terms from l.
  Product part(int64_t i, int64_t rows, int64_t j, int64_t columns, int64_t l, int64_t terms) const {
    auto p = *this;
    p.m = rows, p.n = columns, p.k = terms;
    p.a = a + (ta == 'N' ? i + l * lda : l + i * lda);
    p.b = b + (tb == 'N' ? l + j * ldb : j + l * ldb);
    p.c = c + i + j * ldc;
    return p;
  }
};

void one_thread(const Product<float>& p) {
  // oneDNN counts row by row: the product the other way round.
  if (dnnl_sgemm != nullptr && dnnl_sgemm(p.tb, p.ta, p.n, p.m, p.k, p.alpha, p.b, p.ldb, p.a, p.lda, p.beta, p.c, p.ldc) == 0) {
    return;
  }
  int m = static_cast<int>(p.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k), lda = static_cast<int>(p.lda), ldb = static_cast<int>(p.ldb), ldc = static_cast<int>(p.ldc);
  Blas<float>::gemm(&p.ta, &p.tb, &m, &n, &k, &p.alpha, p.a, &lda, p.b, &ldb, &p.beta, p.c, &ldc);
}

void one_thread(const Product<double>& p) {
  int m = static_cast<int>(p.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k), lda = static_cast<int>(p.lda), ldb = static_cast<int>(p.ldb), ldc = static_cast<int>(p.ldc);
  Blas<double>::gemm(&p.ta, &p.tb, &m, &n, &k, &p.alpha, p.a, &lda, p.b, &ldb, &p.beta, p.c, &ldc);
}

int64_t pieces(int64_t whole, int64_t piece) { return (whole + piece - 1) / piece; }
int64_t half(int64_t side) { return (side / 2 + 15) / 16 * 16; }

template <typename T>
void product(const Product<T>& p) {
  int64_t rows = std::min(p.m, kWide), columns = std::min(p.n, kLong), depth = p.k;
  auto units = [&] { return pieces(p.m, rows) * pieces(p.n, columns) * pieces(p.k, depth); };
  if (p.k >= 2 * kDeep && units() < kUnits) {
    depth = std::max(kDeep, pieces(p.k, kUnits));
  }
  while (units() < kUnits && rows * columns * depth > 2 * kWork && std::max(rows, columns) > kNarrow) {
    (columns > rows ? columns : rows) = half(std::max(rows, columns));
  }
  int64_t down = pieces(p.m, rows), across = pieces(p.n, columns), parts = pieces(p.k, depth);
  if (down * across * parts == 1) {
    OneThread alone;
    one_thread(p);
    return;
  }
  // The first part goes to c, the others beside it.
  auto beside = c10::GetCPUAllocator()->allocate(static_cast<size_t>((parts - 1) * p.m * p.n) * sizeof(T));
  auto* rest = static_cast<T*>(beside.get());
  for_each_share(down * across * parts, [&](int64_t u) {
    int64_t i = u % down * rows, j = u / down % across * columns, part = u / (down * across), l = part * depth;
    auto tile = p.part(i, std::min(rows, p.m - i), j, std::min(columns, p.n - j), l, std::min(depth, p.k - l));
    if (part > 0) {
      tile.c = rest + (part - 1) * p.m * p.n + i + j * p.m;
      tile.ldc = p.m;
      tile.beta = 0;
    }
    one_thread(tile);
  });
  if (parts == 1) {
    return;
  }
  int64_t block = std::max<int64_t>(1, (int64_t{1} << 15) / (p.m * parts));
  for_each_share(pieces(p.n, block), [&](int64_t u) {
    for (int64_t j = u * block; j < std::min(p.n, (u + 1) * block); j++) {
      T* to = p.c + j * p.ldc;
      for (int64_t part = 1; part < parts; part++) {
        const T* from = rest + ((part - 1) * p.n + j) * p.m;
        for (int64_t i = 0; i < p.m; i++) to[i] += from[i];
      }
    }
  });
}

char transposition(const char* flag) { return std::toupper(static_cast<unsigned char>(*flag)) == 'N' ? 'N' : 'T'; }

template <typename T>
void gemm(const char* ta, const char* tb, const int* m, const int* n, const int* k, const T* alpha, const T* a, const int* lda, const T* b, const int* ldb, const T* beta, T* c, const int* ldc) {
  if (*m <= 0 || *n <= 0 || *k <= 0 || *alpha == 0) {  // only scales c, or complains
    OneThread alone;
    Blas<T>::gemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    return;
  }
  product<T>({transposition(ta), transposition(tb), *m, *n, *k, *alpha, a, *lda, b, *ldb, *beta, c, *ldc});
}

template <typename T>
void gemv(const char* t, const int* m, const int* n, const T* alpha, const T* a, const int* lda, const T* x, const int* incx, const T* beta, T* y, const int* incy) {
  constexpr int64_t kValues = 1 << 16;  // of the matrix, for one thread
  bool plain = transposition(t) == 'N';
  int64_t outputs = plain ? *m : *n, inputs = plain ? *n : *m;
  int64_t block = outputs;
  if (*incy > 0 && outputs > 0 && outputs * inputs > 2 * kValues) {
    block = (std::max(kValues / std::max<int64_t>(inputs, 1), pieces(outputs, kUnits)) + 15) / 16 * 16;
  }
  if (block >= outputs) {
    OneThread alone;
    Blas<T>::gemv(t, m, n, alpha, a, lda, x, incx, beta, y, incy);
    return;
  }
  for_each_share(pieces(outputs, block), [&](int64_t u) {
    int64_t first = u * block;
    int count = static_cast<int>(std::min(block, outputs - first));
    Blas<T>::gemv(t, plain ? &count : m, plain ? n : &count, alpha, a + (plain ? first : first * *lda), lda, x, incx, beta, y + first * *incy, incy);
  });
}

// Every other routine as it is, on one thread. All arguments of all of them are addresses; `kOriginal` tells the wrappers apart.
template <int kOriginal, typename Result, typename... Arguments>
struct Alone {
  static Result (*original)(Arguments...);
  static Result call(Arguments... arguments) {
    OneThread alone;
    return original(arguments...);
  }
};
template <int kOriginal, typename Result, typename... Arguments>
Result (*Alone<kOriginal, Result, Arguments...>::original)(Arguments...) = nullptr;

template <typename Wrapper>
void keep_alone(const char* name) {
  if (void* found = import_of_torch(name)) {
    Wrapper::original = reinterpret_cast<decltype(Wrapper::original)>(found);
    replace_imports_of_torch({{name, reinterpret_cast<void*>(&Wrapper::call)}});
  }
}

template <int kOriginal, size_t... I>
void keep_alone(const char* name, std::index_sequence<I...>) {
  using Address = void*;
  keep_alone<Alone<kOriginal, void, decltype(static_cast<void>(I), Address{})...>>(name);
}

struct Routine {
  const char* name;
  int arguments;
};

constexpr Routine kRoutines[] = {{"saxpy_", 6},  {"daxpy_", 6},  {"sscal_", 4},   {"dscal_", 4},   {"strsm_", 11},  {"dtrsm_", 11}, {"sgeev_", 14},  {"dgeev_", 14},  {"sgels_", 11},
                                 {"dgels_", 11}, {"sgelsd_", 15}, {"dgelsd_", 15}, {"sgelss_", 14}, {"dgelss_", 14}, {"sgelsy_", 13}, {"dgelsy_", 13}, {"sgeqrf_", 8},  {"dgeqrf_", 8},
                                 {"sgesdd_", 14}, {"dgesdd_", 14}, {"sgetrf_", 6},  {"dgetrf_", 6},  {"sgetrs_", 9},  {"dgetrs_", 9},  {"sorgqr_", 9},   {"dorgqr_", 9},  {"sormqr_", 13},
                                 {"dormqr_", 13}, {"spotrf_", 5},  {"dpotrf_", 5},  {"spotri_", 5},  {"dpotri_", 5},  {"spotrs_", 8},  {"dpotrs_", 8},   {"ssyev_", 9},   {"dsyev_", 9},
                                 {"ssyevd_", 11}, {"dsyevd_", 11}, {"ssytrf_", 8},  {"dsytrf_", 8},  {"ssytrs_", 9},  {"dsytrs_", 9}};

template <size_t... R>
void keep_routines_alone(std::index_sequence<R...>) {
  (keep_alone<static_cast<int>(R)>(kRoutines[R].name, std::make_index_sequence<kRoutines[R].arguments>()), ...);
}

template <typename T>
bool take(const char* gemm_name, const char* gemv_name) {
  Blas<T>::gemm = reinterpret_cast<Gemm<T>>(import_of_torch(gemm_name));
  Blas<T>::gemv = reinterpret_cast<Gemv<T>>(import_of_torch(gemv_name));
  return Blas<T>::gemm != nullptr && Blas<T>::gemv != nullptr;
}

// RECSYS_SHARES=0 leaves libtorch its BLAS.
__attribute__((constructor)) void install() {
  const char* asked = std::getenv("RECSYS_SHARES");
  if ((asked != nullptr && std::strcmp(asked, "0") == 0) || !take<float>("sgemm_", "sgemv_") || !take<double>("dgemm_", "dgemv_")) {
    return;
  }
#if defined(__x86_64__)
  // Its products without AVX-512 are no faster than OpenBLAS's.
  if (__builtin_cpu_supports("avx512f")) {
    dnnl_sgemm = reinterpret_cast<DnnlSgemm>(import_of_torch("dnnl_sgemm"));
  }
#endif
  replace_imports_of_torch({{"sgemm_", reinterpret_cast<void*>(&gemm<float>)},
                            {"dgemm_", reinterpret_cast<void*>(&gemm<double>)},
                            {"sgemv_", reinterpret_cast<void*>(&gemv<float>)},
                            {"dgemv_", reinterpret_cast<void*>(&gemv<double>)}});
  using Floats = const float*;
  using Doubles = const double*;
  using Count = const int*;
  keep_alone<Alone<0, float, Count, Floats, Count, Floats, Count>>("sdot_");
  keep_alone<Alone<0, double, Count, Doubles, Count, Doubles, Count>>("ddot_");
  keep_routines_alone(std::make_index_sequence<sizeof(kRoutines) / sizeof(kRoutines[0])>());
}

}  // namespace
}  // namespace recsys
