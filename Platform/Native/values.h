// What crosses the C ABI: statuses, tagged arguments, results. Free of libtorch's headers, so that a plain C++ program can call the exports.
#pragma once

#include <cstdint>

namespace recsys {

// Kept in step with Recsys.Torch.Native.Status.
enum Status : int32_t {
  kOk = 0,
  kTorch = 1,        // c10::Error
  kIndex = 2,        // c10::IndexError, std::out_of_range
  kType = 3,         // c10::TypeError, or an argument of the wrong kind
  kUnsupported = 4,  // c10::NotImplementedError
  kMemory = 5,       // std::bad_alloc
  kStandard = 6,     // any other std::exception
  kUnknown = 7,      // not even a std::exception
  kArgument = 8,     // refused by this library before libtorch saw it
};

// Kept in step with Recsys.Torch.Native.Kind.
enum Kind : int32_t {
  kNone = 0,
  kTensor = 1,
  kInt = 2,
  kDouble = 3,
  kBool = 4,
  kIntList = 5,
  kDoubleList = 6,
  kBoolList = 7,
  kTensorList = 8,  // a null handle inside is an absent optional tensor
  kString = 9,
  kDevice = 10,     // payload = type << 32 | uint32(index)
  kGenerator = 11,
  kSlice = 12,      // indexing only: payload -> int64[3], INT64_MIN where left out
  kEllipsis = 13,   // indexing only
};

// An argument: lists and strings carry a pointer and a length, everything else sits in the payload.
struct Arg {
  int32_t kind;
  int32_t count;
  int64_t payload;
};

// A result: a tensor with the bytes it owns, a number, or (kTensorList) an array of Out to be freed with rs_free.
struct Out {
  int32_t kind;
  int32_t count;
  int64_t payload;
  int64_t bytes;
};

}  // namespace recsys
