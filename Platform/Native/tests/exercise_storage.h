// Tensors over a mapped file, and FAISS's indexes.
#pragma once

#include "exercise.h"

#include <fstream>
#include <iterator>

#include <sys/mman.h>
#include <unistd.h>

namespace {

void mappings() {
  int file = memfd_create("mapped", 0);
  float written[1024];
  for (int i = 0; i < 1024; i++) written[i] = static_cast<float>(i);
  CHECK(file >= 0 && write(file, written, sizeof written) == sizeof written);
  void* mapping = nullptr;
  CHECK(rs_mapping_new(file, 4097, &mapping) == recsys::kArgument && rs_mapping_new(-1, 1, &mapping) == recsys::kArgument && mapping == nullptr);
  CHECK(rs_mapping_new(file, 4096, &mapping) == 0);
  int64_t sizes[2] = {4, 8}, huge[3] = {int64_t{1} << 40, int64_t{1} << 40, 0};
  Out out{};
  CHECK(rs_mapping_tensor(mapping, 4000, sizes, 2, 6, &out) == recsys::kArgument && rs_mapping_tensor(mapping, 2, sizes, 2, 6, &out) == recsys::kArgument);
  CHECK(rs_mapping_tensor(mapping, 0, huge, 3, 6, &out) == recsys::kArgument && rs_mapping_tensor(mapping, 0, sizes, 2, 14, &out) == recsys::kArgument);
  CHECK(rs_mapping_tensor(mapping, 4096 - 128, sizes, 2, 6, &out) == 0 && out.bytes == 128);
  T last(handle(out));
  CHECK(rs_mapping_tensor(mapping, 0, nullptr, 0, 6, &out) == 0);
  T scalar(handle(out));
  rs_mapping_free(mapping);  // the tensors keep it
  CHECK(values(last.h).back() == 1023 && values(scalar.h)[0] == 0);
  float nine = 9, back = -1;
  CHECK(rs_tensor_set_bytes(scalar.h, &nine, 4) == 0 && values(scalar.h)[0] == 9);
  CHECK(pread(file, &back, 4, 0) == 4 && back == 0);  // the file never sees it
  close(file);
}

void indexes() {
  char text[256] = "";
  std::vector<float> x(64 * 8), decoded(64 * 8);
  for (size_t i = 0; i < x.size(); i++) x[i] = static_cast<float>((i * 37) % 101) / 50 - 1;
  std::vector<uint8_t> codes(64 * 32);
  std::vector<float> distances(64 * 3);
  std::vector<int64_t> labels(64 * 3);
  char path[] = "/tmp/recsys-index-XXXXXX";
  int file = mkstemp(path);
  CHECK(file >= 0);
  for (int64_t kind = 0; kind < 6; kind++) {
    IndexSpec spec{kind, 8, 0, 4, 4, 4, 4, 40}, wrong = spec;
    wrong.dim = 0;
    void *index = nullptr, *again = nullptr, *answer = nullptr;
    CHECK(rs_faiss_index_new(&wrong, &index, text, 256) == 1 && text[0] != '\0' && index == nullptr);
    CHECK(rs_faiss_index_new(&spec, &index, text, 256) == 0);
    CHECK(rs_faiss_index_search(index, x.data(), 64, 3, distances.data(), labels.data(), text, 256) == 1);
    CHECK(rs_faiss_index_train(index, x.data(), 64, 7, text, 256) == 0 && rs_faiss_index_add(index, x.data(), nullptr, 64, 1, text, 256) == 0);
    CHECK(rs_faiss_index_search(index, x.data(), 64, 3, distances.data(), labels.data(), text, 256) == 0 && labels[0] >= 0 && labels[0] < 64);
    int64_t total = 0, limits[65];
    if (kind == 0 || kind == 3) {
      CHECK(rs_faiss_index_range(index, x.data(), 64, 0.5f, &answer, &total, text, 256) == 0);
      std::vector<float> d(static_cast<size_t>(total));
      std::vector<int64_t> l(static_cast<size_t>(total));
      CHECK(rs_faiss_range_copy(answer, 0, limits, d.data(), l.data(), text, 256) == 0 && limits[64] == total);
      rs_faiss_range_delete(answer);
    }
    if (kind == 1 || kind == 2) {
      CHECK(rs_faiss_index_encode(index, x.data(), 64, codes.data(), text, 256) == 0 && rs_faiss_index_decode(index, codes.data(), 64, decoded.data(), text, 256) == 0);
    }
    CHECK(rs_faiss_index_write(index, path, text, 256) == 0);
    std::ifstream stream(path, std::ios::binary);
    std::vector<char> bytes(std::istreambuf_iterator<char>(stream), {});
    CHECK(rs_faiss_index_read(reinterpret_cast<uint8_t*>(bytes.data()), static_cast<int64_t>(bytes.size()), 0, &again, text, 256) == 0);
    IndexInfo info;
    CHECK(rs_faiss_index_info(again, &info, text, 256) == 0 && info.kind == kind && info.count == 64 && info.dim == 8);
    // A few, then most, then all: an HNSW graph is mended first and built anew after that.
    std::vector<int64_t> doomed(64);
    for (int64_t i = 0; i < 64; i++) doomed[static_cast<size_t>(i)] = i;
    for (int64_t goes : {5, 40, 64}) {
      CHECK(rs_faiss_index_remove(again, doomed.data(), goes, &total, text, 256) == 0 && rs_faiss_index_info(again, &info, text, 256) == 0);
      if (info.count >= 3) CHECK(rs_faiss_index_search(again, x.data(), 64, 3, distances.data(), labels.data(), text, 256) == 0 && labels[0] >= 0);
    }
    CHECK(info.count == 0 && total > 0);
    rs_faiss_index_delete(again);
    rs_faiss_index_delete(index);
  }
  close(file);
  unlink(path);
  KMeansOptions options{8, 4, 10, 1, 1, 1, 256, 0, 1};
  std::vector<float> centroids(32), weights(64, 1e-6f);
  double objective = -1;
  CHECK(rs_faiss_kmeans(&options, x.data(), 64, weights.data(), nullptr, centroids.data(), nullptr, &objective, text, 256) == 0 && objective > 0);
  options.k = 65;
  CHECK(rs_faiss_kmeans(&options, x.data(), 64, nullptr, nullptr, centroids.data(), nullptr, &objective, text, 256) == 1);
}

}  // namespace
