// A library calls another's functions through a table that the linker fills in (System V ABI, global offset table). Writing an entry of
// libtorch_cpu.so's table changes what that one library calls; oneDNN, BLAS and the host keep calling the originals.
#include "imports.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace recsys {
namespace {

#if defined(__x86_64__)
constexpr bool is_slot(uint32_t type) { return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT; }
#elif defined(__aarch64__)
constexpr bool is_slot(uint32_t type) { return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT; }
#else
constexpr bool is_slot(uint32_t) { return false; }  // an unknown machine: nothing is replaced
#endif

struct Slot {
  std::string_view name;
  void** entry;
};

struct Image {
  std::string path;
  uintptr_t read_only = 0, read_only_end = 0;  // pages that the linker closed after it had filled them
  std::vector<Slot> imports;
};

void read_imports(const dl_phdr_info& info, Image& image) {
  const ElfW(Dyn)* dynamic = nullptr;
  for (int i = 0; i < info.dlpi_phnum; i++) {
    const auto& part = info.dlpi_phdr[i];
    if (part.p_type == PT_DYNAMIC) {
      dynamic = reinterpret_cast<const ElfW(Dyn)*>(info.dlpi_addr + part.p_vaddr);
    } else if (part.p_type == PT_GNU_RELRO) {
      image.read_only = info.dlpi_addr + part.p_vaddr;
      image.read_only_end = image.read_only + part.p_memsz;
    }
  }
  const ElfW(Sym)* symbols = nullptr;
  const char* names = nullptr;
  const ElfW(Rela)* tables[2] = {};
  size_t bytes[2] = {};
  auto address = [&](const ElfW(Dyn)* d) { return d->d_un.d_ptr < info.dlpi_addr ? info.dlpi_addr + d->d_un.d_ptr : d->d_un.d_ptr; };
  for (auto* d = dynamic; d != nullptr && d->d_tag != DT_NULL; d++) {
    switch (d->d_tag) {
      case DT_SYMTAB: symbols = reinterpret_cast<const ElfW(Sym)*>(address(d)); break;
      case DT_STRTAB: names = reinterpret_cast<const char*>(address(d)); break;
      case DT_JMPREL: tables[0] = reinterpret_cast<const ElfW(Rela)*>(address(d)); break;
      case DT_PLTRELSZ: bytes[0] = d->d_un.d_val; break;
      case DT_RELA: tables[1] = reinterpret_cast<const ElfW(Rela)*>(address(d)); break;
      case DT_RELASZ: bytes[1] = d->d_un.d_val; break;
      case DT_PLTREL:
        if (d->d_un.d_val != DT_RELA) return;
        break;
      default: break;
    }
  }
  if (symbols == nullptr || names == nullptr) {
    return;
  }
  for (int t = 0; t < 2; t++) {
    for (size_t i = 0; tables[t] != nullptr && i < bytes[t] / sizeof(ElfW(Rela)); i++) {
      const auto& r = tables[t][i];
      if (!is_slot(ELF64_R_TYPE(r.r_info))) continue;
      const auto& symbol = symbols[ELF64_R_SYM(r.r_info)];
      if (symbol.st_shndx == SHN_UNDEF) {
        image.imports.push_back({names + symbol.st_name, reinterpret_cast<void**>(info.dlpi_addr + r.r_offset)});
      }
    }
  }
}

const Image& torch() {
  static const Image found = [] {
    Image image;
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* result) {
          if (std::strstr(info->dlpi_name, "libtorch_cpu.so") == nullptr) return 0;
          auto& image = *static_cast<Image*>(result);
          image.path = info->dlpi_name;
          read_imports(*info, image);
          return 1;
        },
        &image);
    return image;
  }();
  return found;
}

void write(const Image& image, void** entry, void* value) {
  auto page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  auto page = reinterpret_cast<uintptr_t>(entry) & ~(page_size - 1);
  bool closed = reinterpret_cast<uintptr_t>(entry) >= image.read_only && reinterpret_cast<uintptr_t>(entry) < image.read_only_end;
  if (closed && mprotect(reinterpret_cast<void*>(page), page_size, PROT_READ | PROT_WRITE) != 0) {
    return;  // a hardened system: the original stays in place
  }
  *entry = value;
  if (closed) {
    mprotect(reinterpret_cast<void*>(page), page_size, PROT_READ);
  }
}

}  // namespace

void* import_of_torch(const char* name) {
  static void* handle = torch().path.empty() ? nullptr : dlopen(torch().path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  return handle == nullptr ? nullptr : dlsym(handle, name);
}

bool torch_imports(const char* name) {
  for (const auto& slot : torch().imports) {
    if (slot.name == name) return true;
  }
  return false;
}

void replace_imports_of_torch(const Replacement* first, const Replacement* last) {
  std::unordered_map<std::string_view, void*> wanted;
  for (auto* r = first; r != last; r++) {
    wanted.emplace(r->name, r->with);
  }
  for (const auto& slot : torch().imports) {
    auto found = wanted.find(slot.name);
    if (found != wanted.end()) {
      write(torch(), slot.entry, found->second);
    }
  }
}

}  // namespace recsys
