// One function serves all of ATen: an operator is looked up once by name and overload, then called boxed with a stack built
// from tagged arguments. Trailing arguments that are missing come from the operator's own schema.
#include "operators.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/stack.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace recsys {
namespace {

// An operator that makes new tensors out of old ones has nothing to tell autograd where no argument requires a gradient: calling it
// below autograd's keys saves a tenth of a small operator. Views and in-place operators keep their books there in any case.
bool functional(const c10::FunctionSchema& schema) {
  if (schema.name().rfind("aten::", 0) != 0 || schema.is_mutable()) {
    return false;
  }
  for (const auto* list : {&schema.arguments(), &schema.returns()}) {
    for (const auto& argument : *list) {
      if (argument.alias_info() != nullptr) {
        return false;
      }
    }
  }
  return true;
}

bool requires_grad(const c10::IValue& value) {
  if (value.isTensor()) {
    return value.unsafeToTensorImpl()->requires_grad();
  }
  if (value.isTensorList()) {
    auto list = value.toListRef();
    return std::any_of(list.begin(), list.end(), [](const auto& t) { return t.unsafeToTensorImpl()->requires_grad(); });
  }
  return value.isList();  // optional tensors: left to autograd
}

// A stack is reused from call to call on each thread; a call from within a call takes a fresh one.
struct BorrowedStack {
  std::vector<c10::IValue> stack;
  static std::vector<c10::IValue>& spare() {
    static thread_local std::vector<c10::IValue> s;
    return s;
  }
  BorrowedStack() { stack.swap(spare()); }
  ~BorrowedStack() {
    stack.clear();
    stack.swap(spare());
  }
};

}  // namespace
}  // namespace recsys

using namespace recsys;

// kUnsupported where this libtorch has no such operator.
RS_EXPORT int32_t rs_op_find(const char* name, const char* overload, void** result) {
  return guarded([&] {
    required(name, overload, result);
    auto found = c10::Dispatcher::singleton().findSchema({name, overload});
    if (!found) {
      C10_THROW_ERROR(NotImplementedError, std::string("no operator ") + name + (*overload ? "." : "") + overload + " in libtorch " TORCH_VERSION);
    }
    auto op = std::make_unique<Operator>(Operator{*found, {}, functional(found->schema()), Shape::Any, nullptr, {}, {}, {}, {}});
    for (const auto& argument : found->schema().arguments()) {
      op->parameters.push_back(parameter_of(argument));
    }
    find_shape(*op);
    *result = op.release();  // lives as long as the process, like the operator itself
  });
}

// The operator's schema as text; `length` is its full length in bytes.
RS_EXPORT int32_t rs_op_schema(void* handle, char* buffer, int64_t capacity, int64_t* length) {
  return guarded([&] {
    required(handle, length);
    auto text = c10::toString(static_cast<Operator*>(handle)->handle.schema());
    if (buffer != nullptr && capacity > 0) {
      std::memcpy(buffer, text.data(), static_cast<size_t>(std::min<int64_t>(capacity, static_cast<int64_t>(text.size()))));
    }
    *length = static_cast<int64_t>(text.size());
  });
}

// Calls an operator. Results beyond `capacity` are dropped, so an in-place operator is called with capacity 0.
RS_EXPORT int32_t rs_op_call(void* handle, const Arg* arguments, int32_t count, Out* results, int32_t capacity, int32_t* returned) {
  return guarded([&] {
    required(handle);
    required_list(arguments, count);
    required_list(results, capacity);
    auto* op = static_cast<Operator*>(handle);
    if (static_cast<size_t>(count) > op->parameters.size()) {
      throw std::invalid_argument("more arguments than the operator has");
    }
    if (capacity > 0 && call_typed(*op, arguments, count, results)) {
      if (returned != nullptr) {
        *returned = 1;
      }
      return;
    }
    BorrowedStack borrowed;
    auto& stack = borrowed.stack;
    for (int32_t i = 0; i < count; i++) {
      push(stack, op->parameters[i], arguments[i]);
    }
    for (size_t i = count; i < op->parameters.size(); i++) {
      const auto& p = op->parameters[i];
      if (!p.has_default && !p.optional) {
        throw std::invalid_argument("argument '" + p.name + "' is missing");
      }
      stack.push_back(p.value);
    }
    if (op->functional && std::none_of(stack.begin(), stack.end(), [](const auto& value) { return requires_grad(value); })) {
      at::AutoDispatchBelowAutograd below;
      op->handle.callBoxed(&stack);
    } else {
      op->handle.callBoxed(&stack);
    }
    int32_t n = 0;
    for (; n < static_cast<int32_t>(stack.size()) && n < capacity; n++) {
      give_value(std::move(stack[n]), results + n);
    }
    if (returned != nullptr) {
      *returned = n;
    }
  });
}
