// One function serves all of ATen: an operator is looked up once by name and overload, then called boxed with a stack built
// from tagged arguments. Trailing arguments that are missing come from the operator's own schema.
#include "abi.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>

#include <ATen/core/LegacyTypeDispatch.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace recsys {
namespace {

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
  c10::optional<c10::TypedOperatorHandle<Unary>> unary;
  c10::optional<c10::TypedOperatorHandle<Binary>> binary;
  c10::optional<c10::TypedOperatorHandle<BinaryAlpha>> binary_alpha;
  c10::optional<c10::TypedOperatorHandle<BinaryNumber>> binary_number;
};

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

Want want_of(const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType: return Want::Tensor;
    case c10::TypeKind::NumberType: return Want::Number;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return Want::Int;
    case c10::TypeKind::ScalarTypeType: return Want::ScalarType;
    case c10::TypeKind::LayoutType: return Want::Layout;
    case c10::TypeKind::MemoryFormatType: return Want::MemoryFormat;
    case c10::TypeKind::FloatType: return Want::Double;
    case c10::TypeKind::BoolType: return Want::Bool;
    case c10::TypeKind::StringType: return Want::String;
    case c10::TypeKind::DeviceObjType: return Want::Device;
    case c10::TypeKind::GeneratorType: return Want::Generator;
    case c10::TypeKind::ListType: {
      auto element = type->containedType(0);
      switch (element->kind()) {
        case c10::TypeKind::IntType:
        case c10::TypeKind::SymIntType: return Want::IntList;
        case c10::TypeKind::FloatType: return Want::DoubleList;
        case c10::TypeKind::BoolType: return Want::BoolList;
        case c10::TypeKind::TensorType: return Want::TensorList;
        case c10::TypeKind::OptionalType: return Want::OptionalTensorList;
        default: return Want::Other;
      }
    }
    default: return Want::Other;
  }
}

Parameter parameter_of(const c10::Argument& argument) {
  Parameter p;
  auto type = argument.real_type();  // type() calls dtypes, layouts and memory formats plain integers
  p.optional = type->kind() == c10::TypeKind::OptionalType;
  if (p.optional) {
    type = type->containedType(0);
  }
  p.want = want_of(type);
  p.fixed_length = argument.N() ? static_cast<int32_t>(*argument.N()) : 0;
  p.has_default = argument.default_value().has_value();
  if (p.has_default) {
    p.value = *argument.default_value();
  }
  p.name = argument.name();
  return p;
}

// typed() refuses a C++ signature that is not the operator's; such an operator takes the stack.
void find_shape(Operator& op) {
  const auto& returns = op.handle.schema().returns();
  if (returns.size() != 1 || returns[0].type()->kind() != c10::TypeKind::TensorType) {
    return;
  }
  auto takes = [&](std::initializer_list<Want> wants) {
    return std::equal(wants.begin(), wants.end(), op.parameters.begin(), op.parameters.end(), [](Want want, const Parameter& p) { return p.want == want && !p.optional; });
  };
  try {
    if (takes({Want::Tensor})) {
      op.unary = op.handle.typed<Unary>();
      op.shape = Shape::Unary;
    } else if (takes({Want::Tensor, Want::Tensor})) {
      op.binary = op.handle.typed<Binary>();
      op.shape = Shape::Binary;
    } else if (takes({Want::Tensor, Want::Tensor, Want::Number})) {
      op.binary_alpha = op.handle.typed<BinaryAlpha>();
      op.shape = Shape::BinaryAlpha;
    } else if (takes({Want::Tensor, Want::Number})) {
      op.binary_number = op.handle.typed<BinaryNumber>();
      op.shape = Shape::BinaryNumber;
    }
  } catch (const c10::Error&) {
  }
}

const char* kind_name(int32_t kind) {
  static const char* names[] = {"none", "tensor", "int", "double", "bool", "int list", "double list", "bool list", "tensor list",
                                "string", "device", "generator", "slice", "ellipsis"};
  return kind >= 0 && kind < 14 ? names[kind] : "unknown";
}

[[noreturn]] void wrong(const Parameter& p, const Arg& a) {
  throw std::invalid_argument("argument '" + p.name + "' does not take a value of kind " + kind_name(a.kind));
}

bool valid_enum(Want want, int64_t v) {
  switch (want) {
    case Want::ScalarType: return valid_dtype(v);
    case Want::Layout: return v == 0;  // dense tensors only
    case Want::MemoryFormat: return v >= 0 && v <= 3;
    default: return true;
  }
}

template <typename T>
c10::ArrayRef<T> view(const Arg& a) {
  if (a.count < 0 || (a.count > 0 && a.payload == 0)) {
    throw std::invalid_argument("a list without memory");
  }
  return {reinterpret_cast<const T*>(a.payload), static_cast<size_t>(a.count)};
}

void push_tensors(std::vector<c10::IValue>& stack, const Arg& a, bool optional) {
  auto handles = view<void*>(a);
  if (optional) {
    c10::List<c10::optional<at::Tensor>> list;
    list.reserve(handles.size());
    for (auto* h : handles) {
      list.push_back(h ? c10::optional<at::Tensor>(share(h)) : c10::optional<at::Tensor>());
    }
    stack.emplace_back(std::move(list));
  } else {
    c10::List<at::Tensor> list;
    list.reserve(handles.size());
    for (auto* h : handles) {
      list.push_back(share(h));
    }
    stack.emplace_back(std::move(list));
  }
}

void push(std::vector<c10::IValue>& stack, const Parameter& p, const Arg& a) {
  if (a.kind == kNone) {
    if (p.optional || p.want == Want::Other) {
      stack.emplace_back();
    } else if (p.has_default) {
      stack.push_back(p.value);
    } else {
      wrong(p, a);
    }
    return;
  }
  switch (p.want) {
    case Want::Tensor:
      if (a.kind != kTensor) wrong(p, a);
      stack.emplace_back(share(reinterpret_cast<void*>(a.payload)));
      return;
    case Want::Number:
      if (a.kind == kInt) stack.emplace_back(a.payload);
      else if (a.kind == kDouble) stack.emplace_back(bits_to_double(a.payload));
      else if (a.kind == kBool) stack.emplace_back(a.payload != 0);
      else wrong(p, a);
      return;
    case Want::Int:
    case Want::ScalarType:
    case Want::Layout:
    case Want::MemoryFormat:
      if (a.kind != kInt) wrong(p, a);
      if (!valid_enum(p.want, a.payload)) {
        throw std::invalid_argument("argument '" + p.name + "' does not take the number " + std::to_string(a.payload));
      }
      stack.emplace_back(a.payload);
      return;
    case Want::Double:
      if (a.kind == kDouble) stack.emplace_back(bits_to_double(a.payload));
      else if (a.kind == kInt) stack.emplace_back(static_cast<double>(a.payload));
      else wrong(p, a);
      return;
    case Want::Bool:
      if (a.kind != kBool) wrong(p, a);
      stack.emplace_back(a.payload != 0);
      return;
    case Want::IntList:
      if (a.kind == kIntList) {
        stack.emplace_back(view<int64_t>(a));
      } else if (a.kind == kInt && p.fixed_length > 0) {
        stack.emplace_back(std::vector<int64_t>(static_cast<size_t>(p.fixed_length), a.payload));
      } else {
        wrong(p, a);
      }
      return;
    case Want::DoubleList:
      if (a.kind != kDoubleList) wrong(p, a);
      stack.emplace_back(view<double>(a).vec());
      return;
    case Want::BoolList: {
      if (a.kind != kBoolList) wrong(p, a);
      c10::List<bool> list;
      for (auto b : view<uint8_t>(a)) list.push_back(b != 0);
      stack.emplace_back(std::move(list));
      return;
    }
    case Want::TensorList:
    case Want::OptionalTensorList:
      if (a.kind != kTensorList) wrong(p, a);
      push_tensors(stack, a, p.want == Want::OptionalTensorList);
      return;
    case Want::String:
      if (a.kind != kString) wrong(p, a);
      {
        auto text = view<char>(a);
        stack.emplace_back(std::string(text.data(), text.size()));
      }
      return;
    case Want::Device:
      if (a.kind != kDevice) wrong(p, a);
      stack.emplace_back(to_device(a.payload));
      return;
    case Want::Generator:
      if (a.kind != kGenerator || a.payload == 0) wrong(p, a);
      stack.emplace_back(*reinterpret_cast<at::Generator*>(a.payload));
      return;
    case Want::Other:
      wrong(p, a);
  }
}

void give_value(c10::IValue&& value, Out* out);

void give_list(c10::ArrayRef<c10::IValue> values, Out* out) {
  auto* memory = static_cast<Out*>(std::calloc(values.size() + 1, sizeof(Out)));
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  out->kind = kTensorList;
  out->count = static_cast<int32_t>(values.size());
  out->payload = reinterpret_cast<int64_t>(memory);
  for (size_t i = 0; i < values.size(); i++) {
    give_value(c10::IValue(values[i]), memory + i);
  }
}

void give_value(c10::IValue&& value, Out* out) {
  out->bytes = 0;
  out->count = 0;
  if (value.isTensor()) {
    give(std::move(value).toTensor(), out);
  } else if (value.isNone()) {
    out->kind = kNone;
  } else if (value.isInt()) {
    out->kind = kInt;
    out->payload = value.toInt();
  } else if (value.isDouble()) {
    out->kind = kDouble;
    auto d = value.toDouble();
    std::memcpy(&out->payload, &d, sizeof d);
  } else if (value.isBool()) {
    out->kind = kBool;
    out->payload = value.toBool();
  } else if (value.isList()) {
    give_list(value.toListRef(), out);
  } else {
    throw std::invalid_argument("an operator returned a value of a kind this library does not pass on: " + value.tagKind());
  }
}

// A handle's tensor for the length of a call, without counting a reference: the caller holds one.
class Borrowed {
 public:
  explicit Borrowed(int64_t handle)
      : tensor_(c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim(reinterpret_cast<at::TensorImpl*>(handle))) {}
  ~Borrowed() { tensor_.unsafeReleaseTensorImpl(); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  operator const at::Tensor&() const { return tensor_; }
  bool requires_grad() const { return tensor_.unsafeGetTensorImpl()->requires_grad(); }

 private:
  at::Tensor tensor_;
};

at::Scalar scalar_of(const Operator& op, int32_t at, const Arg* arguments, int32_t count) {
  if (at >= count) {
    return op.parameters[at].value.toScalar();
  }
  const Arg& a = arguments[at];
  return a.kind == kInt ? at::Scalar(a.payload) : at::Scalar(bits_to_double(a.payload));
}

// Below autograd's keys where nothing requires a gradient.
template <typename Call>
at::Tensor above_or_below(bool below, Call&& call) {
  if (below) {
    at::AutoDispatchBelowAutograd guard;
    return call();
  }
  return call();
}

// Whether the operator is of a common shape and the arguments fit it just so; anything else takes the stack, and its errors.
bool call_typed(const Operator& op, const Arg* arguments, int32_t count, Out* result) {
  auto tensor = [&](int32_t i) { return i < count && arguments[i].kind == kTensor && arguments[i].payload != 0; };
  auto number = [&](int32_t i) { return i < count ? arguments[i].kind == kInt || arguments[i].kind == kDouble : op.parameters[i].has_default; };
  switch (op.shape) {
    case Shape::Unary: {
      if (!tensor(0)) return false;
      Borrowed a(arguments[0].payload);
      give(above_or_below(op.functional && !a.requires_grad(), [&] { return op.unary->call(a); }), result);
      return true;
    }
    case Shape::Binary: {
      if (!tensor(0) || !tensor(1)) return false;
      Borrowed a(arguments[0].payload), b(arguments[1].payload);
      give(above_or_below(op.functional && !a.requires_grad() && !b.requires_grad(), [&] { return op.binary->call(a, b); }), result);
      return true;
    }
    case Shape::BinaryAlpha: {
      if (!tensor(0) || !tensor(1) || !number(2)) return false;
      Borrowed a(arguments[0].payload), b(arguments[1].payload);
      auto alpha = scalar_of(op, 2, arguments, count);
      give(above_or_below(op.functional && !a.requires_grad() && !b.requires_grad(), [&] { return op.binary_alpha->call(a, b, alpha); }), result);
      return true;
    }
    case Shape::BinaryNumber: {
      if (!tensor(0) || !number(1)) return false;
      Borrowed a(arguments[0].payload);
      auto scalar = scalar_of(op, 1, arguments, count);
      give(above_or_below(op.functional && !a.requires_grad(), [&] { return op.binary_number->call(a, scalar); }), result);
      return true;
    }
    default:
      return false;
  }
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
    auto op = std::make_unique<Operator>(Operator{*found, {}, functional(found->schema()), Shape::Any, {}, {}, {}, {}});
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
