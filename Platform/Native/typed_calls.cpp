// Operators of the commonest signatures, called by their C++ types: no stack, and below autograd where it has nothing to do.
#include "operators.h"

#include <ATen/core/LegacyTypeDispatch.h>

#include <algorithm>

namespace recsys {
namespace {

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

// Past the dispatcher altogether.
bool give_small(const Operator& op, const at::Tensor& a, const at::Tensor& b, Out* result) {
  auto value = op.small != nullptr ? op.small(a, b) : at::Tensor();
  if (!value.defined()) {
    return false;
  }
  give(std::move(value), result);
  return true;
}

}  // namespace

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
      op.small = small_binary(op.handle.schema().name());
      op.shape = Shape::Binary;
    } else if (takes({Want::Tensor, Want::Tensor, Want::Number})) {
      op.binary_alpha = op.handle.typed<BinaryAlpha>();
      op.small = small_binary(op.handle.schema().name());
      op.shape = Shape::BinaryAlpha;
    } else if (takes({Want::Tensor, Want::Number})) {
      op.binary_number = op.handle.typed<BinaryNumber>();
      op.shape = Shape::BinaryNumber;
    }
  } catch (const c10::Error&) {
  }
}

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
      bool below = op.functional && !a.requires_grad() && !b.requires_grad();
      if (below && give_small(op, a, b, result)) return true;
      give(above_or_below(below, [&] { return op.binary->call(a, b); }), result);
      return true;
    }
    case Shape::BinaryAlpha: {
      if (!tensor(0) || !tensor(1) || !number(2)) return false;
      Borrowed a(arguments[0].payload), b(arguments[1].payload);
      bool below = op.functional && !a.requires_grad() && !b.requires_grad();
      if (below && count == 2 && give_small(op, a, b, result)) return true;
      auto alpha = scalar_of(op, 2, arguments, count);
      give(above_or_below(below, [&] { return op.binary_alpha->call(a, b, alpha); }), result);
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

}  // namespace recsys
