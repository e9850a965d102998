// Tagged arguments onto a boxed call's stack, and its results back.
#include "operators.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace recsys {
namespace {

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

}  // namespace

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

static void give_list(c10::ArrayRef<c10::IValue> values, Out* out) {
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

}  // namespace recsys
