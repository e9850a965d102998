// Where the elements of large tensors live.
#pragma once

#include <cstddef>

namespace recsys {

constexpr size_t kLargeBlock = size_t{1} << 20;  // bytes from which a block is one of these

// Memory of at least `bytes`, aligned to a page; throws std::bad_alloc, or what require_available throws. *held is what give_back wants.
void* take_large_block(size_t bytes, size_t* held);

void give_back_large_block(void* block, size_t held) noexcept;

}  // namespace recsys
