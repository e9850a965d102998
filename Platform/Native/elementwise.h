// Small float32 tensors without libtorch's iterator.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace recsys {

// a ∘ b where both are small plain float32 tensors of one shape; an undefined tensor where they are not.
using SmallBinary = at::Tensor (*)(const at::Tensor& a, const at::Tensor& b);

// The one for an operator's name (aten::add of two tensors, …); null where there is none.
SmallBinary small_binary(const std::string& name);

}  // namespace recsys
