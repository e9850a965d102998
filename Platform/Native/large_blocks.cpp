// Large blocks are kept when they are freed and handed out again. glibc gives such memory back to the kernel: what is over 32 MiB at
// every free, and on any thread but the first, whole heaps of 64 MiB as they empty. Its next owner then meets a page fault every 4 KiB,
// which can cost more than the operator that wanted it.
#include "large_blocks.h"

#include "abi.h"
#include "memory_limit.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <new>

namespace recsys {
namespace {

constexpr int kSteps = 8;                  // sizes an octave: at most an eighth of a block is not asked for
constexpr int kClasses = 44 * kSteps;

// In a free block's own memory.
struct Free {
  Free* next;
  uint64_t freed_at;
};

// Most bytes of free blocks: a GiB, less where the process began with less than eight.
const auto most_kept = static_cast<size_t>(std::min(uint64_t{1} << 30, available_memory() / 8));

std::mutex lock;
Free* first[kClasses];
size_t kept = 0;  // bytes of free blocks
uint64_t clock_of_frees = 0;

struct Size {
  int index;
  size_t bytes;
};

Size size_of(size_t bytes) {
  int octave = 0;
  while (octave < 43 && (kLargeBlock << (octave + 1)) <= bytes) octave++;
  size_t step = (kLargeBlock << octave) / kSteps, steps = (bytes + step - 1) / step;  // kSteps to 2 kSteps of them
  return {octave * kSteps + static_cast<int>(steps) - kSteps, steps * step};
}

size_t bytes_of(int index) { return (kLargeBlock << (index / kSteps)) / kSteps * static_cast<size_t>(kSteps + index % kSteps); }

void drop(int index) {
  auto* block = first[index];
  first[index] = block->next;
  kept -= bytes_of(index);
  munmap(block, bytes_of(index));
}

void drop_all() {
  for (int i = 0; i < kClasses; i++) {
    while (first[i] != nullptr) drop(i);
  }
}

// A block of the size that has been without use for longest.
void drop_oldest() {
  int oldest = -1;
  for (int i = 0; i < kClasses; i++) {
    if (first[i] != nullptr && (oldest < 0 || first[i]->freed_at < first[oldest]->freed_at)) oldest = i;
  }
  drop(oldest);
}

void* map(size_t bytes) {
  void* block = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return block == MAP_FAILED ? nullptr : block;
}

}  // namespace

void* take_large_block(size_t bytes, size_t* held) {
  if (bytes > SIZE_MAX / 4) {
    throw std::bad_alloc();
  }
  auto size = size_of(bytes);
  *held = size.bytes;
  std::lock_guard<std::mutex> guard(lock);
  if (auto* block = size.index < kClasses ? first[size.index] : nullptr) {
    first[size.index] = block->next;
    kept -= size.bytes;
    return block;
  }
  if (size.bytes >= kAskedAbout) {
    drop_all();  // what is kept here is not missing there
    require_available(size.bytes);
  }
  void* block = map(size.bytes);
  if (block == nullptr) {
    drop_all();
    block = map(size.bytes);
  }
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  madvise(block, size.bytes, MADV_HUGEPAGE);  // a wish: two MiB a fault
  return block;
}

void give_back_large_block(void* block, size_t held) noexcept {
  auto index = size_of(held).index;
  std::lock_guard<std::mutex> guard(lock);
  if (held > most_kept || index >= kClasses) {
    munmap(block, held);
    return;
  }
  auto* freed = static_cast<Free*>(block);
  *freed = {first[index], ++clock_of_frees};
  first[index] = freed;
  kept += held;
  while (kept > most_kept) drop_oldest();
}

}  // namespace recsys

using namespace recsys;

// Bytes of freed blocks that wait for their next owner.
RS_EXPORT int32_t rs_memory_kept(int64_t* bytes) {
  return guarded([&] {
    required(bytes);
    std::lock_guard<std::mutex> guard(lock);
    *bytes = static_cast<int64_t>(kept);
  });
}

// Gives them back to the system.
RS_EXPORT int32_t rs_memory_release() {
  return guarded([&] {
    std::lock_guard<std::mutex> guard(lock);
    drop_all();
  });
}
