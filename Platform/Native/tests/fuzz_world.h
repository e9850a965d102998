// What a run of the fuzz holds: tensors, generators, stores, groups, and how it makes and gives back each of them.
#pragma once

#include "random_values.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

struct World {
  Random random;
  Pool pool;
  std::vector<void*> generators, guards, stores, groups, works, reducers, mappings;
  std::array<char, 4096> bytes{};
  std::array<int64_t, 16> numbers{};
  std::array<double, 16> reals{};
  std::vector<std::pair<void*, std::string>> operators;

  std::string folder = made_folder();  // what calls write goes here
  int mapped_file = -1;                // of 4096 bytes

  explicit World(uint64_t seed) : random(seed), pool(random) {
    mapped_file = open((folder + "/mapped").c_str(), O_RDWR | O_CREAT, 0600);
    if (mapped_file < 0 || write(mapped_file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  }

  ~World() {
    for (auto* m : mappings) rs_mapping_free(m);
    close(mapped_file);
    std::filesystem::remove_all(folder);
  }

  static std::string made_folder() {
    auto name = (std::filesystem::temp_directory_path() / "recsys-fuzz-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    return name;
  }

  void* any_of(std::vector<void*>& list) { return list.empty() || random.one_in(12) ? nullptr : list[static_cast<size_t>(random.below(static_cast<int64_t>(list.size())))]; }

  void* take_from(std::vector<void*>& list) {
    if (list.empty() || random.one_in(6)) return nullptr;
    auto i = static_cast<size_t>(random.below(static_cast<int64_t>(list.size())));
    auto* x = list[i];
    list.erase(list.begin() + static_cast<long>(i));
    return x;
  }

  // Calls with an out parameter for a handle; keeps at most `most` of them.
  template <typename Call, typename Free>
  int32_t make(std::vector<void*>& list, size_t most, Call&& call, Free&& release) {
    void* made = nullptr;
    auto status = call(random.or_null(&made));
    if (made != nullptr) {
      if (list.size() < most) list.push_back(made);
      else release(made);
    }
    return status;
  }

  template <typename Call>
  int32_t give(Call&& call) {
    Out out{};
    auto status = call(random.or_null(&out));
    if (status == 0) pool.take(out);
    return status;
  }

  Arg argument(std::vector<std::vector<int64_t>>& memory) {
    Arg a{};
    a.kind = random.one_in(40) ? random.small() : static_cast<int32_t>(random.below(14));
    auto& m = memory.emplace_back(8);
    switch (a.kind) {
      case recsys::kTensor: a.payload = reinterpret_cast<int64_t>(pool.any()); break;
      case recsys::kDouble: { auto d = random.real(); std::memcpy(&a.payload, &d, 8); break; }
      case recsys::kBool: a.payload = random.below(2); break;
      case recsys::kGenerator: a.payload = reinterpret_cast<int64_t>(any_of(generators)); break;
      case recsys::kDevice: a.payload = random.one_in(2) ? 0xFFFFFFFF : random.integer(); break;
      case recsys::kIntList: case recsys::kDoubleList: case recsys::kBoolList: case recsys::kTensorList: case recsys::kString: case recsys::kSlice: {
        for (auto& v : m) {
          if (a.kind == recsys::kTensorList) v = reinterpret_cast<int64_t>(pool.any());
          else if (a.kind == recsys::kDoubleList) { auto d = random.real(); std::memcpy(&v, &d, 8); }
          else v = random.integer();
        }
        if (a.kind == recsys::kString) std::snprintf(reinterpret_cast<char*>(m.data()), 64, "%.60s", random.one_in(2) ? "mean" : "ij,jk->ik");
        a.count = random.one_in(24) ? -1 : static_cast<int32_t>(random.below(6));
        a.payload = reinterpret_cast<int64_t>(random.or_null(m.data()));
        break;
      }
      default: a.payload = random.integer();
    }
    return a;
  }

  int32_t call_operator() {
    if (operators.empty()) return 0;
    auto& op = operators[static_cast<size_t>(random.below(static_cast<int64_t>(operators.size())))];
    std::vector<std::vector<int64_t>> memory;
    memory.reserve(12);
    Arg arguments[12];
    auto count = static_cast<int32_t>(random.below(7));
    // Half of the time tensors first, as most operators have it: random kinds alone are refused before libtorch sees them.
    auto tensors = random.one_in(2) ? random.below(3) + 1 : 0;
    for (int32_t i = 0; i < count; i++) {
      arguments[i] = argument(memory);
      if (i < tensors) arguments[i] = {recsys::kTensor, 0, reinterpret_cast<int64_t>(pool.any())};
    }
    if (random.one_in(40)) count = random.one_in(2) ? -1 : 12;
    for (int32_t i = 7; i < count; i++) arguments[i] = {};
    Out results[8]{};
    int32_t returned = 0, capacity = random.one_in(12) ? static_cast<int32_t>(random.below(4)) - 2 : 8;
    auto status = rs_op_call(random.one_in(40) ? nullptr : op.first, random.or_null(arguments), count, random.or_null(results), capacity, random.or_null(&returned));
    for (auto& r : results) pool.take(r);
    return status;
  }
};
