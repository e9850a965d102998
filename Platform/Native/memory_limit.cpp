#include "memory_limit.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

namespace recsys {
namespace {

constexpr uint64_t kUnknown = UINT64_MAX;

// The number that follows `key` in a file of "key number" lines; the first number where key is empty.
uint64_t number_in(const std::string& path, const char* key) {
  auto* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) {
    return kUnknown;
  }
  char line[256];
  uint64_t found = kUnknown;
  size_t length = std::strlen(key);
  while (found == kUnknown && std::fgets(line, sizeof line, file) != nullptr) {
    unsigned long long value;
    if (std::strncmp(line, key, length) == 0 && std::sscanf(line + length, " %llu", &value) == 1) {
      found = value;
    }
  }
  std::fclose(file);
  return found;
}

// The folder of this process's control group, as the kernel names it or, inside a container, at the root of what is mounted.
uint64_t left_in_group(const std::string& mount, const std::string& path, const char* limit, const char* used, const char* cache) {
  for (const auto& folder : {mount + path, mount}) {
    auto most = number_in(folder + limit, ""), now = number_in(folder + used, "");
    if (most != kUnknown && now != kUnknown) {
      auto reclaimable = number_in(folder + "/memory.stat", cache);
      now -= reclaimable == kUnknown ? 0 : std::min(now, reclaimable);
      return most > now ? most - now : 0;
    }
  }
  return kUnknown;
}

uint64_t left_in_groups() {
  auto left = kUnknown;
  auto* file = std::fopen("/proc/self/cgroup", "re");
  if (file == nullptr) {
    return left;
  }
  char line[4096];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    line[std::strcspn(line, "\n")] = 0;
    if (auto* v1 = std::strstr(line, ":memory:")) {
      left = std::min(left, left_in_group("/sys/fs/cgroup/memory", v1 + 8, "/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file"));
    } else if (std::strncmp(line, "0::", 3) == 0) {
      left = std::min(left, left_in_group("/sys/fs/cgroup", line + 3, "/memory.max", "/memory.current", "inactive_file"));
    }
  }
  std::fclose(file);
  return left;
}

}  // namespace

uint64_t available_memory() {
  auto memory = number_in("/proc/meminfo", "MemAvailable:"), swap = number_in("/proc/meminfo", "SwapFree:");
  auto machine = memory == kUnknown ? kUnknown : (memory + (swap == kUnknown ? 0 : swap)) << 10;
  return std::min(machine, left_in_groups());
}

void require_available(size_t bytes) {
  if (bytes < kAskedAbout) {
    return;
  }
  auto left = available_memory();
  TORCH_CHECK(bytes <= left, "not enough memory: cannot allocate memory of ", bytes, " bytes, ", left,
              " are left to this process; take smaller pieces or give it more");
}

}  // namespace recsys
