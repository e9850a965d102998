// Random arguments for the fuzz: valid ones, absent ones, wrong kinds, ends of every range.
#pragma once

#include "exports.h"

#include <array>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

// splitmix64: the same numbers on every machine for one seed.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  int64_t below(int64_t n) { return static_cast<int64_t>(next() % static_cast<uint64_t>(n)); }
  bool one_in(int64_t n) { return below(n) == 0; }

  template <typename T>
  T* or_null(T* pointer) { return one_in(24) ? nullptr : pointer; }

  // Never a size that a machine could just about allocate: those would make the run slow and say nothing.
  int64_t integer() {
    static constexpr int64_t ends[] = {-1, -2, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min(), int64_t{1} << 40, int64_t{1} << 62, -(int64_t{1} << 40)};
    return one_in(8) ? ends[below(7)] : below(8) - 1;
  }

  int32_t small() {
    static constexpr int32_t ends[] = {-1, -2, 17, 255, 99999, std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min()};
    return one_in(8) ? ends[below(7)] : static_cast<int32_t>(below(8));
  }

  double real() {
    static constexpr double ends[] = {0, -1, 1e308, -1e308, 1e-308, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                                      std::numeric_limits<double>::quiet_NaN()};
    return one_in(6) ? ends[below(8)] : static_cast<double>(below(2000)) / 1000 - 0.5;
  }

  const char* text() {
    static const std::string texts[] = {"", "aten::add", "Tensor", "mean", "ij,jk->ik", "constant", "gloo", "nccl", "key", "127.0.0.1", "\xff\xfe", std::string(5000, 'x')};
    return one_in(16) ? nullptr : texts[below(12)].c_str();
  }

 private:
  uint64_t state_;
};

// Tensors of every element type and of small random shapes, some transposed, some requiring gradients; the oldest give way.
class Pool {
 public:
  explicit Pool(Random& random) : random_(random) { while (tensors_.size() < 48) tensors_.push_back(fresh()); }
  ~Pool() { for (auto* t : tensors_) rs_tensor_free(t); }
  Pool(const Pool&) = delete;

  void* any() { return random_.one_in(16) ? nullptr : tensors_[static_cast<size_t>(random_.below(static_cast<int64_t>(tensors_.size())))]; }

  void renew() { put(fresh()); }

  // Owns what a call gave: kept where it is small, freed where not.
  void take(Out& out) {
    if (out.kind == recsys::kTensorList) {
      auto* list = reinterpret_cast<Out*>(out.payload);
      for (int32_t i = 0; i < out.count; i++) take(list[i]);
      rs_free(list);
    } else if (out.kind == recsys::kTensor) {
      auto* t = reinterpret_cast<void*>(out.payload);
      Description d;
      if (rs_tensor_describe(t, &d, nullptr, nullptr, 0) == 0 && d.numel <= 2048) put(t);
      else rs_tensor_free(t);
    }
    out.kind = recsys::kNone;
  }

 private:
  void put(void* t) {
    auto& place = tensors_[static_cast<size_t>(random_.below(static_cast<int64_t>(tensors_.size())))];
    rs_tensor_free(place);
    place = t;
  }

  void* fresh() {
    static constexpr int32_t types[] = {0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 7, 11, 15, 9};  // float most often, complex once
    int64_t sizes[4], elements = 1;
    auto dim = static_cast<int32_t>(random_.below(5));
    for (int32_t i = 0; i < dim; i++) elements *= sizes[i] = random_.one_in(12) ? 0 : 1 + random_.below(5);
    auto type = types[random_.below(15)];
    static constexpr int32_t bytes_of[] = {1, 1, 2, 4, 8, 2, 4, 8, 4, 8, 16, 1, 0, 0, 0, 2};
    std::vector<uint8_t> bytes(static_cast<size_t>(elements * bytes_of[type]));
    for (size_t i = 0; i < bytes.size(); i++) {
      // Small integers and moderate floats, so that many calls go far; sometimes raw bits: NaN, infinities, huge indices.
      bytes[i] = type == 11 ? static_cast<uint8_t>(random_.below(2)) : raw_ ? static_cast<uint8_t>(random_.next()) : 0;
    }
    if (!raw_ && type != 11) {
      for (int64_t i = 0; i < elements; i++) {
        auto v = random_.below(9) - 2;
        auto* at = bytes.data() + i * bytes_of[type];
        float f = static_cast<float>(v) * 0.7f;
        double d = f;
        uint32_t bits;
        std::memcpy(&bits, &f, 4);
        auto half = static_cast<uint16_t>(bits >> 16);
        if (type == 6 || type == 9) std::memcpy(at, &f, 4);
        else if (type == 7) std::memcpy(at, &d, 8);
        else if (type == 15 || type == 5) std::memcpy(at, &half, 2);
        else std::memcpy(at, &v, static_cast<size_t>(bytes_of[type]));
      }
    }
    raw_ = random_.one_in(10);
    Out out{};
    uint8_t nothing = 0;
    if (rs_tensor_from_bytes(bytes.empty() ? &nothing : bytes.data(), static_cast<int64_t>(bytes.size()), sizes, dim, type, &out) != 0) return nullptr;
    auto* t = reinterpret_cast<void*>(out.payload);
    if (random_.one_in(3)) rs_tensor_set_requires_grad(t, 1);
    return t;
  }

  Random& random_;
  std::vector<void*> tensors_;
  bool raw_ = false;
};

// A list of up to eight handles with absent ones in between; now and then a length without memory or below zero.
struct HandleList {
  std::array<void*, 8> memory{};
  Handles list;
  int32_t count;
  HandleList(Random& random, Pool& pool) : list(random.or_null(memory.data())), count(static_cast<int32_t>(random.below(5))) {
    for (auto& h : memory) h = pool.any();
    if (random.one_in(24)) count = -1 - random.small() % 8;
    if (count > 8) count = 8;
  }
};
