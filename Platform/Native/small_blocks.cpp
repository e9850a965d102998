// Where the elements of small tensors live. libtorch asks glibc for aligned memory, which has no per-thread cache for it and takes an
// arena's lock instead: a tenth of a small operator, twice. Here a thread keeps the blocks it freed, a list a size, and hands them out
// again; those of a MiB and more are kept for all threads (large_blocks.cpp), those between go to libtorch's own allocator.
#include "large_blocks.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

constexpr size_t kAlignment = 64, kLargest = 8192, kKept = 64;  // bytes, bytes, blocks a size and thread
constexpr int32_t kMiddle = -1, kLarge = -2;
constexpr int kSizes = 8;                                      // 64, 128, … 8192 bytes

// In the 64 bytes before every block: its size class (kMiddle: libtorch's own allocator made it, kLarge: it is one of large_blocks.cpp),
// the bytes of a large one, and while a small one waits, the next of its list.
struct Header {
  Header* next;
  size_t held;
  int32_t size_class;
};
static_assert(sizeof(Header) <= kAlignment);

// Plain data, so that a tensor freed after the thread's destructors ran still finds it; `over` then sends its block to free().
struct Lists {
  Header* first[kSizes];
  uint32_t count[kSizes];
  bool over;
};
thread_local Lists lists;

struct AtThreadEnd {
  ~AtThreadEnd() {
    lists.over = true;
    for (auto*& first : lists.first) {
      while (first != nullptr) {
        auto* next = first->next;
        std::free(first);
        first = next;
      }
    }
  }
  void touch() {}
};
thread_local AtThreadEnd at_thread_end;

int size_class(size_t bytes) {
  int c = 0;
  for (size_t size = kAlignment; size < bytes; size <<= 1) {
    c++;
  }
  return c;
}

c10::Allocator* middle = nullptr;

void give_back(void* data) {
  if (data == nullptr) {
    return;
  }
  auto* header = reinterpret_cast<Header*>(static_cast<char*>(data) - kAlignment);
  int c = header->size_class;
  if (c == kLarge) {
    recsys::give_back_large_block(header, header->held);
    return;
  }
  if (c == kMiddle) {
    middle->raw_deallocate(header);
    return;
  }
  if (lists.over || lists.count[c] == kKept) {
    std::free(header);
    return;
  }
  header->next = lists.first[c];
  lists.first[c] = header;
  lists.count[c]++;
}

void* take(size_t bytes) {
  int c = size_class(bytes);
  if (auto* header = lists.first[c]) {
    lists.first[c] = header->next;
    lists.count[c]--;
    return reinterpret_cast<char*>(header) + kAlignment;
  }
  at_thread_end.touch();
  void* memory = nullptr;
  if (posix_memalign(&memory, kAlignment, kAlignment + (kAlignment << c)) != 0) {
    throw std::bad_alloc();
  }
  static_cast<Header*>(memory)->size_class = c;
  return static_cast<char*>(memory) + kAlignment;
}

void* take_larger(size_t bytes) {
  if (bytes > SIZE_MAX - kAlignment) {
    throw std::bad_alloc();
  }
  Header* header;
  if (kAlignment + bytes >= recsys::kLargeBlock) {
    size_t held;
    header = static_cast<Header*>(recsys::take_large_block(kAlignment + bytes, &held));
    header->held = held;
    header->size_class = kLarge;
  } else {
    header = static_cast<Header*>(middle->raw_allocate(kAlignment + bytes));
    header->size_class = kMiddle;
  }
  return reinterpret_cast<char*>(header) + kAlignment;
}

// libtorch 2.3 dropped the const of allocate and asked for copy_data: both shapes are here, whichever the base class has.
class SmallBlocks final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) const { return blocks(bytes); }
  c10::DataPtr allocate(size_t bytes) { return blocks(bytes); }
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }
  void copy_data(void* to, const void* from, size_t bytes) const { std::memcpy(to, from, bytes); }

 private:
  c10::DataPtr blocks(size_t bytes) const {
    void* data = bytes == 0 ? nullptr : bytes <= kLargest ? take(bytes) : take_larger(bytes);
    return {data, data, &give_back, c10::Device(c10::DeviceType::CPU)};
  }
};

// RECSYS_SMALL_BLOCKS=0 leaves libtorch's allocator in place: for tools that watch every allocation.
__attribute__((constructor)) void install() {
  const char* wanted = std::getenv("RECSYS_SMALL_BLOCKS");
  if (wanted == nullptr || wanted[0] != '0') {
    middle = c10::GetCPUAllocator();
    c10::SetCPUAllocator(new SmallBlocks());  // lives as long as the process
  }
}

}  // namespace
