// Whether the machine can give a large block at all. The kernel promises more than it has and ends the process when the promise is
// called in; a refusal before the allocation is an error that the caller can handle.
#pragma once

#include <cstddef>
#include <cstdint>

namespace recsys {

// Blocks below this are not asked about: the answer costs some ten microseconds.
constexpr size_t kAskedAbout = size_t{256} << 20;

// Bytes that this process can still have: what the machine has free, or its control group's limit leaves; the largest number where
// neither is known.
uint64_t available_memory();

// Throws where `bytes` are more than that.
void require_available(size_t bytes);

}  // namespace recsys
