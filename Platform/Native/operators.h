// An operator of ATen as this library calls it: what its parameters take, read from the schema once, and how arguments and results cross.
#pragma once

#include "abi.h"
#include "elementwise.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include <string>
#include <vector>

namespace recsys {

// What a parameter takes, read from the schema once.
enum class Want : uint8_t {
  Tensor, Number, Int, Double, Bool, IntList, DoubleList, BoolList, TensorList, OptionalTensorList, String, Device, Generator,
  ScalarType, Layout, MemoryFormat, Other
};

struct Parameter {
  Want want;
  bool optional;
  int32_t fixed_length;  // int[2] given as one int is repeated; 0 where it is not of fixed length
  bool has_default;
  c10::IValue value;     // the default
  std::string name;
};

// Signatures that hundreds of operators share. Called by their C++ types they need no stack, which a small operator notices.
enum class Shape : uint8_t { Any, Unary, Binary, BinaryAlpha, BinaryNumber };
using Unary = at::Tensor(const at::Tensor&);
using Binary = at::Tensor(const at::Tensor&, const at::Tensor&);
using BinaryAlpha = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Scalar&);
using BinaryNumber = at::Tensor(const at::Tensor&, const at::Scalar&);

struct Operator {
  c10::OperatorHandle handle;
  std::vector<Parameter> parameters;
  bool functional;  // one of ATen's that neither writes to nor returns what it was given
  Shape shape;
  SmallBinary small;  // for two tensors, without a gradient; null where there is none
  c10::optional<c10::TypedOperatorHandle<Unary>> unary;
  c10::optional<c10::TypedOperatorHandle<Binary>> binary;
  c10::optional<c10::TypedOperatorHandle<BinaryAlpha>> binary_alpha;
  c10::optional<c10::TypedOperatorHandle<BinaryNumber>> binary_number;
};

Parameter parameter_of(const c10::Argument& argument);

// Puts an argument onto a boxed call's stack; throws where the parameter does not take it.
void push(std::vector<c10::IValue>& stack, const Parameter& p, const Arg& a);

// A boxed call's result into what crosses to the caller.
void give_value(c10::IValue&& value, Out* out);

// typed_calls.cpp: whether the operator is of a common signature and the arguments fit it just so; anything else takes the stack, and
// its errors.
void find_shape(Operator& op);
bool call_typed(const Operator& op, const Arg* arguments, int32_t count, Out* result);

}  // namespace recsys
