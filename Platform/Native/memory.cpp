// How freed memory is kept. Left alone, glibc gives a large tensor's pages back to the kernel at each free and takes them anew, zeroed
// and one page fault at a time, at the next allocation: a third of a small transformer's training step. A process that set a
// MALLOC_ variable of its own has chosen otherwise.
#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>

namespace {

__attribute__((constructor)) void keep_freed_memory() {
  if (std::getenv("MALLOC_TRIM_THRESHOLD_") == nullptr && std::getenv("MALLOC_MMAP_THRESHOLD_") == nullptr) {
    mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the largest that glibc allows: bigger blocks are mapped one by one
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
  }
}

}  // namespace
#endif
