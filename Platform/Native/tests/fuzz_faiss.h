// The exports over FAISS with random arguments. As everywhere in the C ABI, a caller's memory is as long as it says: lengths are right,
// below zero, or beyond all memory. Bytes given to be read are whole, cut short or no index at all; bytes that lie about themselves are
// the subject of IndexFileTests, whose reader stands before this export.
#pragma once

#include "fuzz_world.h"

#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>

struct Export {
  int weight;
  std::function<int32_t(World&)> call;
};

// What calls over FAISS work on: indexes of all kinds, answers of range searches, an index as FAISS writes it.
class FaissWorld {
 public:
  static constexpr int64_t kRows = 64, kMostDim = 16;
  std::vector<void*> indexes;
  std::vector<float> vectors = std::vector<float>(kRows * kMostDim), other = vectors;
  std::vector<int64_t> labels = std::vector<int64_t>(kRows * kRows);
  std::vector<float> distances = std::vector<float>(kRows * kRows);
  std::vector<uint8_t> codes = std::vector<uint8_t>(kRows * kMostDim * 4), saved;

  ~FaissWorld() {
    for (auto* index : indexes) rs_faiss_index_delete(index);
  }

  // Every fourth time with the values that arithmetic trips over.
  const float* fresh(Random& r) {
    bool wild = r.one_in(4);
    for (auto& v : vectors) v = static_cast<float>(wild && r.one_in(200) ? r.real() : static_cast<double>(r.below(2000)) / 1000 - 1);
    return r.or_null(vectors.data());
  }

  static int64_t rows(Random& r) {
    static constexpr int64_t ends[] = {-1, -2, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min(), int64_t{1} << 62};
    return r.one_in(12) ? ends[r.below(5)] : r.one_in(2) ? kRows : r.below(kRows + 1);
  }
};

// Calls with room for a message or without, and makes sure that a failure said something.
template <typename Call>
int32_t with_message(World& w, Call&& call) {
  char message[256] = "";
  auto* place = w.random.or_null(message);
  auto room = w.random.one_in(16) ? w.random.below(3) - 1 : static_cast<int64_t>(sizeof message);
  auto status = call(place, room);
  bool silent = place != nullptr && room > 1 && message[0] == '\0';
  return status < 0 || status > 1 || (status == 1 && silent) ? -1 : 0;
}

inline void add_faiss(std::map<std::string, Export>& table) {
  table["rs_faiss_available"] = {1, [](World&) { return rs_faiss_available() & ~1; }};
  if (rs_faiss_available() == 0) return;
  auto f = std::make_shared<FaissWorld>();
  auto add = [&](const char* name, int weight, std::function<int(World&, char*, int64_t)> call) {
    table[name] = {weight, [call](World& w) { return with_message(w, [&](char* message, int64_t room) { return call(w, message, room); }); }};
  };
  add("rs_faiss_index_new", 8, [f](World& w, char* m, int64_t room) {
    auto& r = w.random;
    auto number = [&](int64_t n) { return r.one_in(24) ? r.integer() : 1 + r.below(n); };
    IndexSpec s{r.one_in(24) ? r.integer() : r.below(6), r.one_in(24) ? r.integer() : int64_t{1} << r.below(5), r.below(2), number(8), number(4), number(6), number(8), number(20)};
    int status = 0;
    w.make(f->indexes, 8, [&](void** made) { return status = rs_faiss_index_new(r.or_null(&s), made, m, room); }, rs_faiss_index_delete);
    return status;
  });
  table["rs_faiss_index_delete"] = {3, [f](World& w) { rs_faiss_index_delete(w.take_from(f->indexes)); return 0; }};
  add("rs_faiss_index_info", 5, [f](World& w, char* m, int64_t room) { IndexInfo i; return rs_faiss_index_info(w.any_of(f->indexes), w.random.or_null(&i), m, room); });
  add("rs_faiss_index_train", 8, [f](World& w, char* m, int64_t room) { return rs_faiss_index_train(w.any_of(f->indexes), f->fresh(w.random), f->rows(w.random), w.random.small(), m, room); });
  add("rs_faiss_index_add", 15, [f](World& w, char* m, int64_t room) {
    for (auto& l : f->labels) l = w.random.one_in(500) ? w.random.integer() : w.random.below(1000);
    return rs_faiss_index_add(w.any_of(f->indexes), f->fresh(w.random), w.random.one_in(2) ? nullptr : f->labels.data(), f->rows(w.random), w.random.small(), m, room);
  });
  add("rs_faiss_index_search", 15, [f](World& w, char* m, int64_t room) {
    auto k = w.random.one_in(8) ? w.random.integer() : 1 + w.random.below(FaissWorld::kRows);
    return rs_faiss_index_search(w.any_of(f->indexes), f->fresh(w.random), f->rows(w.random), k, w.random.or_null(f->distances.data()), w.random.or_null(f->labels.data()), m, room);
  });
  // An answer is copied and given back within one call: what its only caller does.
  add("rs_faiss_index_range", 10, [f](World& w, char* m, int64_t room) {
    void* answer = nullptr;
    int64_t total = 0;
    auto n = f->rows(w.random);
    auto status = rs_faiss_index_range(w.any_of(f->indexes), f->fresh(w.random), n, static_cast<float>(w.random.real() * 4), w.random.or_null(&answer), w.random.or_null(&total), m, room);
    if (answer == nullptr) return status;
    std::vector<int64_t> limits(static_cast<size_t>(n) + 1), labels(static_cast<size_t>(total));
    std::vector<float> distances(static_cast<size_t>(total));
    status = rs_faiss_range_copy(answer, w.random.small(), w.random.or_null(limits.data()), w.random.or_null(distances.data()), w.random.or_null(labels.data()), m, room);
    rs_faiss_range_delete(answer);
    return status;
  });
  add("rs_faiss_range_copy", 1, [f](World& w, char* m, int64_t room) { return rs_faiss_range_copy(nullptr, w.random.small(), f->labels.data(), f->distances.data(), f->labels.data(), m, room); });
  table["rs_faiss_range_delete"] = {1, [](World&) { rs_faiss_range_delete(nullptr); return 0; }};
  add("rs_faiss_index_remove", 5, [f](World& w, char* m, int64_t room) {
    for (auto& l : f->labels) l = w.random.one_in(20) ? w.random.integer() : w.random.below(200);
    int64_t removed;
    return rs_faiss_index_remove(w.any_of(f->indexes), w.random.or_null(f->labels.data()), f->rows(w.random), w.random.or_null(&removed), m, room);
  });
  add("rs_faiss_index_set", 5, [f](World& w, char* m, int64_t room) { return rs_faiss_index_set(w.any_of(f->indexes), w.random.small(), w.random.integer(), m, room); });
  add("rs_faiss_index_encode", 5, [f](World& w, char* m, int64_t room) { return rs_faiss_index_encode(w.any_of(f->indexes), f->fresh(w.random), f->rows(w.random), w.random.or_null(f->codes.data()), m, room); });
  add("rs_faiss_index_decode", 5, [f](World& w, char* m, int64_t room) {
    for (auto& c : f->codes) c = static_cast<uint8_t>(w.random.next());
    return rs_faiss_index_decode(w.any_of(f->indexes), w.random.or_null(f->codes.data()), f->rows(w.random), w.random.or_null(f->other.data()), m, room);
  });
  add("rs_faiss_index_codebooks", 5, [f](World& w, char* m, int64_t room) {
    int64_t values = 0;
    auto* index = w.any_of(f->indexes);
    auto status = rs_faiss_index_codebooks(index, nullptr, w.random.or_null(&values), m, room);
    std::vector<float> books(static_cast<size_t>(values));
    return status != 0 || values == 0 ? status : rs_faiss_index_codebooks(index, books.data(), &values, m, room);
  });
  add("rs_faiss_index_write", 3, [f](World& w, char* m, int64_t room) {
    auto path = w.random.one_in(6) ? w.folder + "/none/index" : w.folder + "/index";
    auto status = rs_faiss_index_write(w.any_of(f->indexes), w.random.or_null(path.c_str()), m, room);
    std::ifstream file(w.folder + "/index", std::ios::binary);
    if (status == 0) f->saved.assign(std::istreambuf_iterator<char>(file), {});
    return status;
  });
  add("rs_faiss_flush_folder", 1, [](World& w, char* m, int64_t room) { return rs_faiss_flush_folder(w.random.or_null(w.random.one_in(2) ? w.folder.c_str() : w.random.text()), m, room); });
  add("rs_faiss_index_read", 5, [f](World& w, char* m, int64_t room) {
    auto bytes = f->saved;
    if (w.random.one_in(3)) bytes.resize(static_cast<size_t>(w.random.below(static_cast<int64_t>(bytes.size()) + 1)));
    if (w.random.one_in(6)) bytes.assign(40, static_cast<uint8_t>(w.random.next()));
    auto length = w.random.one_in(16) ? -w.random.below(3) : static_cast<int64_t>(bytes.size());
    bytes.resize(bytes.size() + 1);  // so that there is an address
    int status = 0;
    w.make(f->indexes, 8, [&](void** made) { return status = rs_faiss_index_read(w.random.or_null(bytes.data()), length, w.random.small(), made, m, room); }, rs_faiss_index_delete);
    return status;
  });
  add("rs_faiss_kmeans", 8, [f](World& w, char* m, int64_t room) {
    auto& r = w.random;
    auto number = [&](int64_t n) { return r.one_in(24) ? r.integer() : r.below(n); };
    KMeansOptions o{number(FaissWorld::kMostDim + 1), number(12), number(4), std::min<int64_t>(number(3), 8), r.integer(), number(3), number(70), r.small() & 1, r.small() & 1};
    o.iterations = std::min<int64_t>(o.iterations, 8);  // a run of 2^40 iterations is what was asked for, and says nothing
    std::vector<float> weights(FaissWorld::kRows), centroids(FaissWorld::kRows * FaissWorld::kMostDim);
    for (auto& v : weights) v = static_cast<float>(r.one_in(60) ? r.real() : static_cast<double>(r.below(3)) / 2);
    std::vector<int64_t> assignment(FaissWorld::kRows);
    for (auto& v : f->other) v = static_cast<float>(r.one_in(2000) ? r.real() : static_cast<double>(r.below(5)));
    double objective;
    return rs_faiss_kmeans(r.or_null(&o), f->fresh(r), f->rows(r), r.one_in(2) ? nullptr : weights.data(), r.one_in(2) ? nullptr : f->other.data(), r.or_null(centroids.data()),
                           r.or_null(assignment.data()), r.or_null(&objective), m, room);
  });
}
